"""What another process does to a database file: `python -m tests.faults.worker JOB FILE [ARGUMENTS]`.

Each line on standard output is an acknowledgement: it is printed once the call that it tells of has returned.
"""

import os
import resource
import signal
import sqlite3
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from contextlib import closing
from itertools import count
from pathlib import Path

import anyio
import anyio.to_thread
import apsw

from tests.protocol.clients import call, connect, done, settings
from tests.support import open_store, warrant
from voucher_mcp.backends.local.adapter import LocalBackend
from voucher_mcp.domain.errors import PoolExhausted, Unavailable, VoucherError
from voucher_mcp.domain.vouchers.pool import NewCode
from voucher_mcp.stores.sqlite.copies import backup
from voucher_mcp.stores.sqlite.turnstile import Turnstile

POOL = "Summer"
VOUCHER = {"type": "GIFT_VOUCHER", "gift": {"amount": 1}}


def say(*words: object) -> None:
    sys.stdout.write(" ".join(map(str, words)) + "\n")
    sys.stdout.flush()


async def assign(engine: LocalBackend, limit: str) -> None:
    """Assign so many codes, or all that there are."""
    for number in range(int(limit)):
        try:
            answer = await engine.assign_voucher_code(warrant(key=f"{os.getpid()} {number}"), POOL, "alice")
        except PoolExhausted:
            return
        say(answer.data["code"])


async def assign_timed(engine: LocalBackend) -> None:
    """Assign codes until killed; says how long each took, in seconds."""
    while True:
        started = time.monotonic()
        await engine.assign_voucher_code(warrant("a"), POOL, "alice")
        say(time.monotonic() - started)


async def load(engine: LocalBackend, total: str) -> None:
    """Import so many codes; says how many each batch added."""
    prefix = os.getpid()
    codes = (NewCode(f"{prefix}-{n}") for n in range(int(total)))
    async for batch in engine.import_codes(warrant("I"), POOL, codes):
        say(batch.added)


async def everything(engine: LocalBackend, batch: str) -> None:
    """Add, assign, delete and import in turn until killed."""
    for number in count():
        name = f"{os.getpid()}.{number}"
        added = [NewCode(f"add {name}.{n}") for n in range(3)]
        await engine.add_voucher_codes(warrant(key=f"add {name}"), POOL, added)
        say("add", name)
        answer = await engine.assign_voucher_code(warrant(key=f"assign {name}"), POOL, f"customer {name}")
        say("assign", name, answer.data["id"])
        await engine.delete_voucher_codes(warrant(key=f"delete {name}"), POOL, [added[2].value])
        say("delete", name)
        imported = (NewCode(f"import {name}.{n}") for n in range(int(batch)))
        async for _ in engine.import_codes(warrant(), POOL, imported):
            say("import", name)


async def patience(engine: LocalBackend, callers: str) -> None:
    """When told to, so many assignments and a read at once; says how each ended and after how long."""
    await anyio.to_thread.run_sync(sys.stdin.readline)
    started = time.monotonic()

    async def one() -> None:
        try:
            await engine.assign_voucher_code(warrant(), POOL, "alice")
            say("success", None, time.monotonic() - started)
        except VoucherError as error:
            say(error.code, error.retryable, time.monotonic() - started)

    async with anyio.create_task_group() as tasks:
        for _ in range(int(callers)):
            tasks.start_soon(one)
        await anyio.wait_all_tasks_blocked()
        say("read", (await engine.get_voucher_pool(POOL)).data["name"], time.monotonic() - started)


async def fill(engine: LocalBackend, room: str) -> None:
    """Add codes until the disk takes no more, then once more after some room was made."""
    log = engine.store.path.with_name(engine.store.path.name + "-wal")  # type: ignore[attr-defined]
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (log.stat().st_size + int(room), hard))
    for number in count():
        codes = [NewCode(f"{number}.{n}") for n in range(20)]
        try:
            await engine.add_voucher_codes(warrant(key=f"fill {number}"), POOL, codes)
            say("added", number)
        except VoucherError as error:
            say(error.code, error.applied, error.retryable)
            break
    say("pool", (await engine.get_voucher_pool(POOL)).data["total"])
    resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
    await engine.add_voucher_codes(warrant(), POOL, [NewCode("after")])
    say("after")


JOBS: dict[str, Callable[..., Awaitable[None]]] = {
    job.__name__: job for job in (assign, assign_timed, load, everything, patience, fill)
}


async def run_job(job: str, path: Path, *arguments: str) -> None:
    async with open_store(path) as store:
        say("ready")
        await JOBS[job](LocalBackend("shop", store), *arguments)


async def try_to_open(path: Path) -> None:
    """Say how opening the file ends."""
    try:
        async with open_store(path):
            say("opened")
    except* Unavailable as group:
        for error in group.exceptions:
            assert isinstance(error, Unavailable)
            say(error.code, error.retryable, error)


def open_together(path: Path) -> None:
    """Open the file when told to."""
    say("ready")
    sys.stdin.readline()
    anyio.run(try_to_open, path)


def open_as_nobody(path: Path) -> None:
    """Open the file as a user to whom it does not belong."""
    with tempfile.TemporaryDirectory() as folder:  # what is imported late is imported while that can be read
        anyio.run(try_to_open, Path(folder) / "vouchers.db")
    if os.geteuid() == 0:
        os.setuid(65534)
    anyio.run(try_to_open, path)


def serve_as_nobody(path: Path) -> None:
    """Read and write through a server, as a user to whom the file does not belong, and again when told to."""
    anyio.run(_read_and_write, path)


async def _read_and_write(path: Path) -> None:
    shop = {"project_id": "shop"}
    limits = {"max_calls_per_minute": 1_000}
    with tempfile.TemporaryDirectory() as folder:  # as above
        async with connect(settings(Path(folder) / "vouchers.db")) as client:
            await done(client, "create_voucher_pool", **shop, name="X", voucher=VOUCHER)
            await done(client, "list_vouchers", **shop)
    if os.geteuid() == 0:
        os.setuid(65534)
    async with connect(settings(path, limits=limits)) as client:
        for _ in range(2):
            for tool, arguments in (
                ("get_voucher_pool", {"pool_id": POOL}),
                ("list_vouchers", {"filters": {"category": {"conditions": {"$is": ["none"]}}}}),
                ("assign_voucher_code", {"pool_id": POOL, "customer_id": "lea", "idempotency_key": "k"}),
            ):
                envelope = await call(client, tool, **shop, **arguments)
                say(tool, envelope.get("error_code"), envelope["error"])
            say("ready")
            sys.stdin.readline()


def copy_as_nobody(path: Path) -> None:
    """Copy a database that can only be read; then say how many codes are in the copy."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        anyio.run(try_to_open, folder / "vouchers.db")  # as above
        backup(folder / "vouchers.db", folder / "first.db")
        folder.chmod(0o777)
        user = os.geteuid()
        if user == 0:
            os.seteuid(65534)
        backup(path, folder / "copy.db")
        os.seteuid(user)
        connection = apsw.Connection(str(folder / "copy.db"))
        say(connection.execute("SELECT count(*) FROM vouchers").fetchall())
        connection.close()


def open_on_a_full_disk(path: Path) -> None:
    """Open the file where nothing more can be written, then where it can."""
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, hard))
    anyio.run(try_to_open, path)
    resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
    anyio.run(try_to_open, path)


def take_turns(path: Path) -> None:
    """Take the turn whenever told to, and hold it until told again."""
    turnstile = Turnstile(path)
    say("ready")
    while sys.stdin.readline():
        with turnstile.turn(30):
            say("my turn")
            sys.stdin.readline()
        say("done")


def lock(path: Path) -> None:
    """Be another program, which knows nothing of turns: lock the file until told to let it go."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("BEGIN EXCLUSIVE")
        say("locked")
        sys.stdin.readline()
        connection.execute("ROLLBACK")


ALONE: dict[str, Callable[[Path], None]] = {
    job.__name__: job
    for job in (
        *(open_together, open_as_nobody, serve_as_nobody, copy_as_nobody),
        *(open_on_a_full_disk, take_turns, lock),
    )
}


if __name__ == "__main__":
    job, file, *rest = sys.argv[1:]
    signal.alarm(120)  # nobody is left behind, whatever happens to the test
    if job in ALONE:
        ALONE[job](Path(file))
    else:
        anyio.run(run_job, job, Path(file), *rest)
