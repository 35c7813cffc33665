"""What is fought for in a storm: the goods, the calls, and what has to hold of them at its end."""

import random
from collections import Counter

from tests.databases.counters import assert_counters_equal_rows
from tests.databases.database import Database
from tests.protocol.clients import connect, done, settings
from tests.storms.storm import Call, Storm, Told
from tests.support import TEN_PERCENT

SHOP = {"project_id": "shop"}
BALANCE = 5_000
"""What is on the card that is fought for, in minor units."""


class Stakes:
    """Goods for some rounds of eleven calls: fewer free codes, and uses of one code, than are asked for."""

    def __init__(self, rounds: int) -> None:
        self.rounds = rounds
        self.free = self.uses = rounds + rounds // 2

    async def stock(self, database: Database) -> None:
        """Put it all there."""
        ones = [f"{name}-{n}" for name in ("ONE", "TWO") for n in range(self.rounds)]
        free = [f"F-{n}" for n in range(self.free)]
        discount = {"type": "PERCENT", "percent_off": 10}
        async with connect(settings(database)) as client:
            for name, codes in (("Free", free), ("Ones", ones), ("New", ["NEW"])):
                pool = {"name": name, "codes": codes, "voucher": TEN_PERCENT}
                await done(client, "create_voucher_pool", **SHOP, **pool)
            many = {"code": "MANY", "discount": discount, "redemption": {"quantity": self.uses}}
            await done(client, "create_voucher", **SHOP, **many)
            for code, amount in (("CARD", BALANCE), ("OTHER", 0)):
                await done(client, "create_voucher", **SHOP, code=code, gift={"amount": amount})

    def calls(self, chance: random.Random) -> list[Call]:
        """Everything that moves money or codes, each with a key of its own, many on the same few vouchers."""
        made: list[Call] = []
        for n in range(self.rounds):
            card, cent = ({"id": "CARD", "gift": {"credits": amount}} for amount in (100, 1))
            made += [
                ("assign_voucher_code", {"pool_id": "Free", "customer_id": f"c{n}"}),
                ("assign_voucher_code", {"pool_id": "Free", "customer_id": f"d{n}"}),
                ("redeem_vouchers", {"redeemables": [{"id": "MANY"}], "customer": {"id": f"c{n % 7}"}}),
                ("redeem_vouchers", {"redeemables": [{"id": "MANY"}]}),
                ("redeem_vouchers", {"redeemables": [{"id": f"ONE-{n}"}], "customer": {"id": "ann"}}),
                ("redeem_vouchers", {"redeemables": [{"id": f"ONE-{n}"}], "customer": {"id": "bob"}}),
                ("redeem_vouchers", {"redeemables": [card], "customer": {"id": "lea"}}),
                ("redeem_vouchers", {"redeemables": [{"id": f"TWO-{n}"}, cent]}),
                ("update_voucher_balance", {"code": "CARD", "amount": chance.choice([-7, 20, 50])}),
                ("add_voucher_codes", {"pool_id": "New", "codes": [f"N-{n}-{i}" for i in range(3)]}),
                ("move_voucher_balance", {"from_code": "CARD", "to_code": "OTHER", "amount": 11}),
            ]
        chance.shuffle(made)
        return [(tool, {**given, "idempotency_key": f"key-{n}"}) for n, (tool, given) in enumerate(made)]

    def assert_all_is_right(self, told: Told, database: Database) -> None:
        """What was acknowledged is there, once; nothing else is, and it all adds up."""
        done = {key: call for key, (call, envelope) in told.items() if envelope["success"]}
        _assert_keys_have_their_rows(done, database)
        given = {
            envelope["data"]["code"]: arguments["customer_id"]
            for (tool, arguments), envelope in told.values()
            if tool == "assign_voucher_code" and envelope["success"]
        }
        assert len(given) == sum(tool == "assign_voucher_code" for tool, _ in done.values()) == self.free
        held = database.rows("SELECT code, holder FROM vouchers WHERE code LIKE 'F-%' AND holder IS NOT NULL")
        assert dict(held) == given
        used = Counter(one["id"] for _, given in done.values() for one in given.get("redeemables", ()))
        shown = database.rows("SELECT code, redeemed_quantity FROM vouchers WHERE redeemed_quantity > 0")
        assert Counter(dict(shown)) == used
        assert used["MANY"] == self.uses
        assert all(used[f"{name}-{n}"] == 1 for name in ("ONE", "TWO") for n in range(self.rounds))
        _assert_ledgers_are_right(done, database)
        assert_counters_equal_rows(database)


def _assert_keys_have_their_rows(done: dict[str, Call], database: Database) -> None:
    assert {key for (key,) in database.rows("SELECT key FROM writes")} == done.keys()
    heard = "SELECT key FROM audit WHERE key IS NOT NULL AND outcome = 'success'"
    assert Counter(key for (key,) in database.rows(heard)) == Counter(done.keys())
    redeemed = Counter(key for (key,) in database.rows("SELECT tracking_id FROM redemptions"))
    stacks = {key: len(given["redeemables"]) for key, (_, given) in done.items() if "redeemables" in given}
    assert redeemed == {key: size + (size > 1) for key, size in stacks.items()}  # a stack has a parent
    lines = "SELECT source_id, count(*) FROM transactions WHERE redemption IS NULL GROUP BY source_id"
    moving = {"update_voucher_balance": 1, "move_voucher_balance": 2}
    expected = {key: moving[tool] for key, (tool, _) in done.items() if tool in moving}
    assert dict(database.rows(lines)) == expected
    added = {code for tool, given in done.values() if tool == "add_voucher_codes" for code in given["codes"]}
    assert {code for (code,) in database.rows("SELECT code FROM vouchers WHERE code LIKE 'N-%'")} == added


def _assert_ledgers_are_right(done: dict[str, Call], database: Database) -> None:
    ledgers = database.rows(
        "SELECT v.code, granted - subtracted - spent, coalesce(sum(t.amount), 0) FROM vouchers AS v "
        "JOIN transactions AS t ON t.voucher = v.n GROUP BY v.n, v.code, granted, subtracted, spent"
    )
    kept = {code: change for code, change, _ in ledgers}
    assert {code: ledger for code, _, ledger in ledgers} == kept
    assert kept["CARD"] >= -BALANCE
    assert kept["OTHER"] == sum(
        given["amount"] for tool, given in done.values() if tool == "move_voucher_balance"
    )


async def assert_keys_are_known(storm: Storm) -> None:
    """Whoever sends a key again gets the first answer."""
    done = {key: told for key, told in storm.told.items() if told[1]["success"]}
    first = {key: envelope["data"] for key, (_, envelope) in done.items()}
    await storm.call_all([call for call, _ in done.values()])
    again = {key: storm.told[key][1] for key in done}
    assert {key: envelope["data"] for key, envelope in again.items()} == first
    assert all(envelope["replayed"] for envelope in again.values())
