"""A voucher system outside of the process, and a small adapter for it that loses answers and dies.

The system is a SQLite file of its own: gift cards, every effect with the reference that it came with, and
what is to go wrong with the next writes. So it outlives each process of ours, as a vendor does.
"""

import json
import os
import signal
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import anyio

from voucher_mcp.backends.base import Backend, Fields, Object
from voucher_mcp.config.models import VoucherifyProject
from voucher_mcp.domain.answer import Answer
from voucher_mcp.domain.errors import (
    AlreadyExists,
    Conflict,
    InvalidInput,
    NotFound,
    OutcomeUnknown,
    Unavailable,
    UpstreamError,
)
from voucher_mcp.domain.queries import Detail
from voucher_mcp.domain.vouchers.pool import Deletion
from voucher_mcp.domain.write import Write

POOL = "Summer"
_PAUSE = 0.005

_SCHEMA = """
CREATE TABLE cards (code TEXT PRIMARY KEY, balance INTEGER, kind TEXT);
CREATE TABLE codes (code TEXT PRIMARY KEY);
CREATE TABLE effects (reference TEXT, tool TEXT, answer TEXT);
CREATE TABLE faults (n INTEGER PRIMARY KEY, stage TEXT, kind TEXT);
CREATE TABLE events (name TEXT);
"""


class Vendor:
    """The system itself, for tests to fill, to break and to look at."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def run(self, query: str, *values: Any) -> list[Any]:
        """One statement, committed at once."""
        with closing(sqlite3.connect(self.path, isolation_level=None, timeout=30)) as connection:
            return connection.execute(query, values).fetchall()

    def make(self) -> None:
        """Set it up: a gift card, and a pool of three codes."""
        for statement in _SCHEMA.strip().split(";\n"):
            self.run(statement)
        self.run("INSERT INTO cards VALUES ('CARD', 1000, 'GIFT_VOUCHER')")
        self.run("INSERT INTO codes VALUES ('A'), ('B'), ('C')")

    def fail(self, *kinds: str, stage: str = "write") -> None:
        """What happens to the next requests of that stage, `write` or `look`: one kind each."""
        for kind in kinds:
            self.run("INSERT INTO faults (stage, kind) VALUES (?, ?)", stage, kind)

    def next_fault(self, stage: str) -> str | None:
        """What is to happen to this request."""
        query = "SELECT min(n) FROM faults WHERE stage = ?"
        taken = self.run(f"DELETE FROM faults WHERE n = ({query}) RETURNING kind", stage)
        return taken[0][0] if taken else None

    def note(self, event: str) -> None:
        """Tell whoever watches."""
        self.run("INSERT INTO events VALUES (?)", event)

    def count(self, event: str) -> int:
        """How often it was noted."""
        [(number,)] = self.run("SELECT count(*) FROM events WHERE name = ?", event)
        return int(number)

    async def until(self, event: str, times: int = 1) -> None:
        """Wait until it was noted, by whichever process."""
        with anyio.fail_after(60):
            while self.count(event) < times:  # noqa: ASYNC110 - it may be in another process
                await anyio.sleep(_PAUSE)

    @property
    def effects(self) -> list[str]:
        """The tool of each effect there ever was."""
        return [tool for (tool,) in self.run("SELECT tool FROM effects")]

    @property
    def references(self) -> list[str]:
        """Our name for each of them."""
        return [reference for (reference,) in self.run("SELECT reference FROM effects")]

    def balance(self, code: str = "CARD") -> int | None:
        """What a card holds; None where there is none."""
        found = self.run("SELECT balance FROM cards WHERE code = ?", code)
        return found[0][0] if found else None


class FlakyBackend(Backend):
    """The adapter. It keeps to the rules of recovery: look for the reference first, and never write twice."""

    name = "voucherify"

    def __init__(self, project: VoucherifyProject) -> None:
        assert project.app_id is not None
        self.vendor = Vendor(Path(project.app_id))

    async def list_voucher_pools(self, skip: int, limit: int) -> Answer[list[Any]]:
        self.vendor.note("read")
        return Answer([{"id": POOL, "name": POOL, **self._count()}], {"has_more": False})

    async def get_voucher_pool(self, pool_id: str) -> Answer[Any]:
        self.vendor.note("read")
        if pool_id != POOL:
            raise NotFound(f"There is no pool {pool_id}.")
        return Answer({"id": POOL, "name": POOL, **self._count(), "company_id": "shop", "used_by": []})

    async def get_voucher(self, code: str, detail: Detail) -> Answer[Object]:
        self.vendor.note("read")
        return Answer(self._card(code))

    async def create_voucher(self, write: Write, code: str, body: Fields, detail: Detail) -> Answer[Object]:
        shown = {"code": code, "type": "GIFT_VOUCHER", "gift": dict(body["gift"])}
        if not write.recovering and self.vendor.balance(code) is not None:
            raise AlreadyExists("There is such a voucher already.")
        amount = body["gift"]["amount"]
        return await self._change(
            write,
            Answer(shown),
            ("INSERT INTO cards VALUES (?, ?, 'GIFT_VOUCHER')", code, amount),
        )

    async def update_voucher_balance(
        self, write: Write, code: str, amount: int, reason: str | None
    ) -> Answer[Object]:
        card = self._card(code)
        after = card["gift"]["balance"] + amount
        shown = {"amount": amount, "balance": after, "object": "balance"}
        return await self._change(
            write, Answer(shown), ("UPDATE cards SET balance = balance + ? WHERE code = ?", amount, code)
        )

    async def delete_voucher(self, write: Write, code: str, force: bool) -> Answer[Deletion]:
        about: Mapping[str, Any] = {}
        if not write.recovering:
            card = self._card(code)
            about = {"code": code, "type": card["type"], "balance": card["gift"]["balance"]}
        return await self._change(
            write,
            Answer({"deleted": 1, "ids": [code], "freed": force}, about=about),
            ("DELETE FROM cards WHERE code = ?", code),
        )

    async def delete_voucher_codes(
        self, write: Write, pool_id: str, code_ids: Sequence[str], force: bool = False
    ) -> Answer[Deletion]:
        there = {code for (code,) in self.vendor.run("SELECT code FROM codes")}
        if not write.recovering and not there >= set(code_ids):
            raise InvalidInput("Not all of them are codes of that pool.")
        answer: Answer[Deletion] = Answer(
            {"deleted": len(code_ids), "ids": list(code_ids), "freed": force},
            about={"pool": POOL, "codes": len(code_ids)},
        )
        listed = json.dumps(list(code_ids))
        return await self._change(
            write, answer, ("DELETE FROM codes WHERE code IN (SELECT value FROM json_each(?))", listed)
        )

    async def delete_voucher_pool(self, write: Write, pool_id: str, force: bool = False) -> Answer[Deletion]:
        about = {"pool": POOL, "codes": self._count()["total"]}
        answer = Answer({"deleted": 1, "ids": [POOL], "freed": force}, about=about)
        return await self._change(write, answer, ("DELETE FROM codes",))

    async def _change(self, write: Write, answer: Answer[Any], statement: tuple[Any, ...]) -> Answer[Any]:
        """The one way to write: rehearse, recover, or send and meet whatever fault is due."""
        if write.dry_run:
            self.vendor.note("rehearsed")
            return answer
        if write.recovering:
            self.vendor.note(f"begun {write.begun}")
        if write.recovering and (first := self._look(write.reference)) is not None:
            return first
        self.vendor.note("sent")
        fault = self.vendor.next_fault("write")
        await self._meet(BEFORE, fault)
        self.vendor.run(*statement)
        kept = json.dumps(answer.data)
        self.vendor.run("INSERT INTO effects VALUES (?, ?, ?)", write.reference, write.tool, kept)
        await self._meet(AFTER, fault)
        return Answer({**answer.data, "note": "\ud83d"}) if fault == "half a character" else answer

    async def _meet(self, kinds: Mapping[str, "Fault"], fault: str | None) -> None:
        if fault is None:
            return
        if fault in kinds:
            self.vendor.note("met")
            kinds[fault]()
        if fault == "hold" and kinds is AFTER:
            self.vendor.note("holding")
            await self.vendor.until("go on")
        if fault == ("hang before" if kinds is BEFORE else "hang after"):
            self.vendor.note("hanging")
            await anyio.sleep_forever()

    def _look(self, reference: str) -> Answer[Any] | None:
        """What became of an earlier try with that reference."""
        self.vendor.note("looked")
        match self.vendor.next_fault("look"):
            case "unreachable":
                raise Unavailable("The vendor cannot be reached now.", retry_after=3.0)
            case "cannot tell":
                raise OutcomeUnknown("It cannot be told; get_voucher settles it.")
        found = self.vendor.run("SELECT answer FROM effects WHERE reference = ?", reference)
        return Answer(json.loads(found[0][0])) if found else None

    def _card(self, code: str) -> Object:
        found = self.vendor.run("SELECT balance, kind FROM cards WHERE code = ?", code)
        if not found:
            raise NotFound("There is no such voucher.")
        [(balance, kind)] = found
        typed = {} if kind is None else {"type": kind}
        return {"code": code, **typed, "gift": {"balance": balance}}

    def _count(self) -> dict[str, int]:
        [(number,)] = self.vendor.run("SELECT count(*) FROM codes")
        return {"total": number, "available": number}


Fault = Callable[[], None]


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _refuse() -> None:
    raise Conflict("The vendor refused it.")


def _unreachable() -> None:
    raise Unavailable("The vendor cannot be reached.")


def _lose() -> None:
    raise OutcomeUnknown("The answer was lost. Repeat the call with its key, or look at get_voucher.")


def _do_half() -> None:
    raise UpstreamError("Half of it was done, the rest was not.", applied="partly", field="code")


def _crash() -> None:
    raise KeyError("a fault of ours")


BEFORE: Mapping[str, Fault] = {
    "refuse": _refuse,
    "unreachable": _unreachable,
    "lose before": _lose,
    "die before": _die,
    "crash before": _crash,
}
AFTER: Mapping[str, Fault] = {
    "lose after": _lose,
    "die after": _die,
    "partly": _do_half,
    "crash after": _crash,
}
