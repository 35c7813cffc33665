"""The model's stock: what is done to pools, codes, single vouchers and what is on them.

Each method is a tool: it takes the tool's arguments, and answers what the tool has to answer, or raises
Refused. So it says the rules of docs/engine.md and docs/decisions.md a second time, in the shortest way.
"""

from typing import Any

from tests.engine.model.goods import (
    UNITS,
    Answer,
    Data,
    Pool,
    Refused,
    Voucher,
    is_wrong,
    moment,
    worth_in,
)
from tests.engine.model.shelves import Shelves

LARGEST = 2**53 - 1


class Stock(Shelves):
    """What is done to pools, codes and cards."""

    # pools

    def create_voucher_pool(
        self, name: str, voucher: Data, codes: list[Any] | None = None, generate: Data | None = None
    ) -> Answer:
        kind, worth = worth_in(voucher)
        start, end = moment(voucher.get("start_date")), moment(voucher.get("expiration_date"))
        if kind is None or is_wrong(start, end):
            raise Refused("invalid_input")
        self._refuse_name(name)
        one = {"quantity": 1 if kind == "DISCOUNT_VOUCHER" else None}
        quantity = voucher.get("redemption", one)["quantity"]
        active, metadata = voucher.get("active", True), voucher.get("metadata", {})
        pool = Pool(name, kind, worth, quantity, start, end, active, metadata)
        self.pools.append(pool)
        fates = [self._add(pool, code) for code in codes or ()]
        added = sum(fate["result"] == "added" for fate in fates)

        def learn(data: Data) -> None:
            pool.id = data["id"]

        shown = self.shown_pool(pool)
        if generate is not None:
            return Answer({"name": name, "total": generate["count"]}, learn, fresh=pool)
        counts = {"added": added, "rejected": len(fates) - added} if fates else {}
        return Answer(shown | counts, learn)

    def update_voucher_pool(
        self,
        pool_id: str,
        name: str | None = None,
        active: bool | None = None,
        start_date: str | None = None,
        expiration_date: str | None = None,
        clear: list[str] | None = None,
    ) -> Answer:
        pool, emptied = self.pool(pool_id), clear or []
        if name is None and active is None and start_date is None and expiration_date is None and not emptied:
            raise Refused("invalid_input")
        if name is not None:
            self._refuse_name(name, pool)
        start = None if "start_date" in emptied else moment(start_date) or pool.start
        end = None if "expiration_date" in emptied else moment(expiration_date) or pool.end
        if is_wrong(start, end):
            raise Refused("invalid_input")
        pool.name, pool.start, pool.end = name or pool.name, start, end
        pool.active = pool.active if active is None else active
        starts, ends = start_date or "start_date" in emptied, expiration_date or "expiration_date" in emptied
        shown = self.shown_pool(pool)
        if starts or ends:
            own = [v for v in self.codes(pool) if (starts and v.start) or (ends and v.end)]
            shown |= {"codes_reached": shown["total"] - len(own), "codes_not_reached": len(own)}
        return Answer(shown)

    def add_voucher_codes(
        self, pool_id: str, codes: list[Any] | None = None, generate: Data | None = None
    ) -> Answer:
        pool = self.pool(pool_id)
        if generate is not None:
            fates = [{"result": "added"}] * generate["count"]
            return Answer(fates, lambda data: self.learn_codes(pool, data), {"added": len(fates)})
        fates = [self._add(pool, code) for code in codes or ()]
        added = sum(fate["result"] == "added" for fate in fates)
        return Answer(fates, beside={"added": added, "rejected": len(fates) - added})

    def assign_voucher_code(self, pool_id: str, customer_id: str) -> Answer:
        pool = self.pool(pool_id)
        if not pool.active:
            raise Refused("voucher_disabled")
        if pool.end is not None and pool.end < self.now:
            raise Refused("voucher_expired")
        for voucher in self.codes(pool):
            strangers = [h for h in self.live_holds(voucher) if h.customer != customer_id]
            over = voucher.end is not None and voucher.end < self.now
            if self.where(voucher) == "available" and voucher.active and not over and not strangers:
                voucher.assigned, voucher.assigned_at = customer_id, self.now
                voucher.changed = self.now
                self.customers.add(customer_id)
                return Answer({"code": voucher.code, "customer_id": customer_id, "status": "assigned"})
        raise Refused("pool_exhausted")

    def delete_voucher_codes(self, pool_id: str, code_ids: list[str], force: bool = False) -> Answer:
        pool = self._pool_to_delete(pool_id, force)
        found: list[Voucher] = []
        for reference in code_ids:
            of_pool = [
                v for v in self.vouchers if v.pool is pool and v.has_code and reference in (v.code, v.id)
            ]
            if not of_pool or (of_pool[0].deleted and not force):
                raise Refused("invalid_input")
            found += of_pool if of_pool[0] not in found else []
        for voucher in found:
            self._delete(voucher, force)
        return Answer({"deleted": len(found), "ids": [v.id for v in found], "freed": force})

    def delete_voucher_pool(self, pool_id: str, force: bool = False) -> Answer:
        pool = self._pool_to_delete(pool_id, force)
        pool.deleted, pool.freed = True, pool.freed or force
        self.holds = [hold for hold in self.holds if hold.voucher.pool is not pool]
        return Answer({"deleted": 1, "ids": [pool.id], "freed": force})

    # vouchers

    def create_voucher(self, code: str, **body: Any) -> Answer:
        made = self._draft(code, body)
        if self.owner(code) is not None:
            raise Refused("already_exists")
        return self._made(made)

    def generate_random_code(self, code_config: Data, **body: Any) -> Answer:
        made = self._draft("", body)
        answer = self._made(made)
        del answer.data["code"]
        return answer

    def update_voucher(
        self,
        code: str,
        start_date: str | None = None,
        expiration_date: str | None = None,
        active: bool | None = None,
        metadata: Data | None = None,
        discount: Data | None = None,
        clear: list[str] | None = None,
    ) -> Answer:
        voucher, emptied = self.voucher(code), clear or []
        dates = start_date or expiration_date or emptied
        if not dates and active is None and metadata is None and discount is None:
            raise Refused("invalid_input")
        if discount is not None:
            if voucher.worth.get("type") != discount["type"]:
                raise Refused("invalid_input")
            voucher.worth = discount
        self._refuse_paused(voucher, active)
        voucher.start = None if "start_date" in emptied else moment(start_date) or voucher.start
        voucher.end = None if "expiration_date" in emptied else moment(expiration_date) or voucher.end
        if dates and is_wrong(voucher.starts, voucher.ends):
            raise Refused("invalid_input")
        voucher.active, voucher.changed = voucher.active if active is None else active, self.now
        self._merge(voucher, metadata or {})
        return Answer(self.shown(voucher))

    def enable_voucher(self, code: str) -> Answer:
        voucher = self.voucher(code)
        self._refuse_paused(voucher, True)
        voucher.active, voucher.changed = True, self.now
        return Answer(self.shown(voucher))

    def disable_voucher(self, code: str) -> Answer:
        voucher = self.voucher(code)
        voucher.active, voucher.changed = False, self.now
        return Answer(self.shown(voucher))

    def delete_voucher(self, code: str, force: bool = False) -> Answer:
        try:
            voucher = self.voucher(code)
        except Refused:
            had = [v for v in self.vouchers if v.has_code and code in (v.code, v.id)]
            if not force or not had or (had[0].pool is not None and had[0].pool.freed):
                raise
            voucher = had[0]
        self._delete(voucher, force)
        return Answer({"deleted": 1, "ids": [voucher.id], "freed": force})

    # what is on cards

    def update_voucher_balance(self, code: str, amount: int, reason: str | None = None) -> Answer:
        voucher = self.voucher(code)
        self._post(voucher, amount)
        total = voucher.opening + voucher.sum("ADDITION", "REMOVAL")
        shown = {"code": voucher.code, "amount": amount, "balance": voucher.balance, "total": total}
        return Answer(shown | {"reason": reason})

    def move_voucher_balance(self, from_code: str, to_code: str, amount: int | None = None) -> Answer:
        source, target = self.voucher(from_code), self.voucher(to_code)
        if source is target or source.kind not in UNITS or source.kind != target.kind:
            raise Refused("invalid_input")
        unusable = {
            "DISABLED": "voucher_disabled",
            "EXPIRED": "voucher_expired",
            "NOT_ACTIVE_YET": "voucher_not_active",
            "USED": "quantity_exceeded",
        }
        if (state := self.state(target)) in unusable:
            raise Refused(unusable[state])
        free = (source.balance or 0) - sum(hold.amount for hold in self.live_holds(source))
        moved = free if amount is None else amount
        if moved > free or free <= 0:
            raise Refused("insufficient_balance")
        self._post(source, -moved)
        self._post(target, moved)
        after = [{"code": card.code, "balance": card.balance} for card in (source, target)]
        return Answer({"amount": moved, "from": after[0], "to": after[1]})

    def learn_codes(self, pool: Pool, shown: list[Data]) -> None:
        """Codes that are new in a pool, which only their answer tells."""
        for one in shown:
            if self._add(pool, one["code"])["result"] != "added":
                raise AssertionError(f"{one['code']} was there already")

    # parts

    def _refuse_name(self, name: str, but: Pool | None = None) -> None:
        if any(pool.name == name and not pool.deleted for pool in self.pools if pool is not but):
            raise Refused("already_exists")

    def _refuse_paused(self, voucher: Voucher, active: bool | None) -> None:
        if active and voucher.pool is not None and not voucher.pool.active:
            raise Refused("conflict")

    def _pool_to_delete(self, reference: str, force: bool) -> Pool:
        try:
            return self.pool(reference)
        except Refused:
            deleted = [p for p in self.pools if p.deleted and not p.freed and reference in (p.id, p.name)]
            if not force or not deleted:
                raise
            if len(deleted) > 1:
                raise Refused("invalid_input") from None
            return deleted[0]

    def _delete(self, voucher: Voucher, force: bool) -> None:
        voucher.deleted, voucher.has_code = True, voucher.has_code and not force
        self.holds = [hold for hold in self.holds if hold.voucher is not voucher]

    def _add(self, pool: Pool, code: Any) -> Data:
        """What becomes of one code that is to be added to a pool."""
        given = code if isinstance(code, dict) else {"value": code}
        value, start, end = given["value"], moment(given.get("valid_from")), moment(given.get("valid_until"))
        if is_wrong(start, end):
            return {"code": value, "result": "invalid"}
        if self.owner(value) is not None:
            return {"code": value, "result": "duplicate"}
        made = Voucher(value, pool.kind, pool.worth, pool.quantity, pool, start, end)
        made.metadata = dict(pool.metadata)
        self.put(made)
        return {"code": value, "result": "added"}

    def _draft(self, code: str, body: Data) -> Voucher:
        """A new voucher, if it can be."""
        pool = self.pool(body["campaign"]) if "campaign" in body else None
        kind, worth = worth_in(body)
        other = pool is not None and kind not in (None, pool.kind)
        if other or (pool is None and kind in (None, "LOYALTY_CARD")):
            raise Refused("invalid_input")
        kind, worth = kind or (pool.kind if pool else ""), worth or (pool.worth if pool else {})
        of_pool = None if pool is None else pool.quantity
        quantity = body["redemption"]["quantity"] if "redemption" in body else of_pool
        start, end = moment(body.get("start_date")), moment(body.get("expiration_date"))
        made = Voucher(code, kind, worth, quantity, pool, start, end, body.get("active", True))
        if is_wrong(made.starts, made.ends):
            raise Refused("invalid_input")
        made.days = body.get("validity_day_of_week", [])
        made.metadata = {**({} if pool is None else pool.metadata), **body.get("metadata", {})}
        return made

    def _made(self, voucher: Voucher) -> Answer:
        self.put(voucher)

        def learn(data: Data) -> None:
            voucher.id, voucher.code = data["id"], data["code"]

        return Answer(self.shown(voucher), learn)

    def _merge(self, voucher: Voucher, metadata: Data) -> None:
        voucher.changed = self.now
        merged = {**voucher.metadata, **metadata}
        voucher.metadata = {key: value for key, value in merged.items() if value is not None}

    def _post(self, voucher: Voucher, amount: int) -> None:
        """Put something on a card by hand, or take it off."""
        lifetime = 0 if voucher.balance is None else voucher.opening + voucher.sum("ADDITION")
        if voucher.balance is None or not 0 < abs(amount) <= LARGEST or lifetime + amount > LARGEST:
            raise Refused("invalid_input")
        held = sum(hold.amount for hold in self.live_holds(voucher))
        if amount < 0 and -amount > voucher.balance - held:
            raise Refused("insufficient_balance")
        voucher.changed = self.now
        voucher.ledger.append(("ADDITION" if amount > 0 else "REMOVAL", amount))
