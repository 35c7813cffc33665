"""Everything in the model shop, where it stands, and how it is shown."""

from tests.engine.model.goods import FIELDS, UNITS, Data, Hold, Pool, Redemption, Refused, Voucher, iso


class Shelves:
    """Everything that there ever was, in the order in which it came."""

    def __init__(self, now: int) -> None:
        self.now = now
        self.pools: list[Pool] = []
        self.vouchers: list[Voucher] = []
        self.holds: list[Hold] = []
        self.redemptions: list[Redemption] = []
        self.customers: set[str] = set()
        """Who came into being, by an assignment or a redemption."""

    def pool(self, reference: str) -> Pool:
        """The pool of that id or name."""
        for pool in self.pools:
            if reference in (pool.id, pool.name) and not pool.deleted:
                return pool
        raise Refused("not_found")

    def voucher(self, reference: str) -> Voucher:
        """The voucher of that code or id."""
        for voucher in self.vouchers:
            if not voucher.gone and voucher.has_code and reference in (voucher.code, voucher.id):
                return voucher
        raise Refused("not_found")

    def owner(self, code: str) -> Voucher | None:
        """Who has a code; that of a pool deleted by force is taken over."""
        for voucher in self.vouchers:
            if voucher.has_code and voucher.code == code:
                if voucher.pool is None or not voucher.pool.freed:
                    return voucher
                voucher.has_code = False
        return None

    @property
    def living(self) -> list[Voucher]:
        """The vouchers that are not deleted, nor their pool."""
        return [voucher for voucher in self.vouchers if not voucher.gone]

    def put(self, voucher: Voucher) -> None:
        """Add a voucher that is new."""
        voucher.made = voucher.changed = self.now
        self.vouchers.append(voucher)

    def codes(self, pool: Pool) -> list[Voucher]:
        return [voucher for voucher in self.vouchers if voucher.pool is pool and not voucher.deleted]

    def uses(self, voucher: Voucher) -> list[Redemption]:
        """The redemptions that count, the oldest first."""
        return [r for r in self.redemptions if r.voucher is voucher and not r.of and not r.rolled_back]

    def used(self, voucher: Voucher) -> int:
        """How often it was redeemed."""
        return voucher.used_before + len(self.uses(voucher))

    def holders(self, voucher: Voucher) -> list[str]:
        """Who holds a voucher, the first one first."""
        customers = [voucher.assigned, *(use.customer for use in self.uses(voucher))]
        return list(dict.fromkeys(customer for customer in customers if customer is not None))

    def held_since(self, voucher: Voucher, customer: str) -> int | None:
        """Since when one of its holders holds it."""
        if voucher.assigned == customer:
            return voucher.assigned_at
        return next(use.made for use in self.uses(voucher) if use.customer == customer)

    def live_holds(self, voucher: Voucher) -> list[Hold]:
        held = [hold for hold in self.holds if hold.voucher is voucher and hold.end > self.now]
        return sorted(held, key=lambda hold: (hold.end, hold.key))

    def where(self, voucher: Voucher) -> str:
        """Where a code stands in its pool."""
        used = self.used(voucher)
        used_up = voucher.quantity is not None and used >= voucher.quantity
        if used_up or (voucher.kind == "GIFT_VOUCHER" and not voucher.balance):
            return "redeemed"
        begun = used or self.holders(voucher) or voucher.sum("REMOVAL")
        return "assigned" if begun else "available"

    def state(self, voucher: Voucher) -> str:
        """The status of a voucher now."""
        if not voucher.enabled:
            return "DISABLED"
        if voucher.ends is not None and voucher.ends < self.now:
            return "EXPIRED"
        if voucher.starts is not None and voucher.starts > self.now:
            return "NOT_ACTIVE_YET"
        if voucher.quantity is not None and self.used(voucher) >= voucher.quantity:
            return "USED"
        return "NO_BALANCE" if voucher.balance == 0 else "ACTIVE"

    def shown_pool(self, pool: Pool) -> Data:
        codes = self.codes(pool)
        counts = dict.fromkeys(("available", "assigned", "redeemed"), 0)
        for code in codes:
            counts[self.where(code)] += 1
        shown = {"name": pool.name, "total": len(codes), **counts, "active": pool.active}
        return shown | {"expiration_date": None if pool.end is None else pool.end / 1000}

    def shown(self, voucher: Voucher) -> Data:
        """A voucher as each answer that holds one shows it."""
        shown: Data = {
            "code": voucher.code,
            "type": voucher.kind,
            "campaign": None if voucher.pool is None else voucher.pool.name,
            "active": voucher.enabled,
            "status": self.state(voucher),
            "metadata": voucher.metadata or None,
            "created_at": iso(voucher.made),
            "updated_at": iso(voucher.changed),
            "validity_day_of_week": voucher.days or None,
            "holder_id": next(iter(self.holders(voucher)), None),
            "redemption": {"quantity": voucher.quantity, "redeemed_quantity": self.used(voucher)},
        }
        if voucher.kind not in UNITS:
            return shown | {"discount": voucher.worth}
        unit = UNITS[voucher.kind]
        card = {
            unit: voucher.opening + voucher.sum("ADDITION"),
            f"subtracted_{unit}": -voucher.sum("REMOVAL"),
            "balance": voucher.balance,
        }
        shown["redemption"] |= {f"redeemed_{unit}": -voucher.sum("REDEMPTION", "REFUND")}
        return shown | {FIELDS[voucher.kind]: card}
