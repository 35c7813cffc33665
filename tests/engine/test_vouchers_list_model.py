"""A listing equals what a plain model of the same vouchers finds, whatever is asked."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.databases.database import NewDatabase
from tests.engine.conftest import open_engine, warrant
from voucher_mcp.domain.queries import VouchersQuery

Voucher = Mapping[str, Any]

DISCOUNT = {"type": "PERCENT", "percent_off": 10}
CATEGORIES = st.sampled_from(["a", "b", "ab", None])
POOLS: dict[str, dict[str, Any]] = {
    "": {},
    "P": {"category": "a", "metadata": {"k": 1}},
    "Q": {"metadata": {"k": "x"}},
}

vouchers = st.lists(
    st.fixed_dictionaries(
        {
            "pool": st.sampled_from(sorted(POOLS)),
            "category": CATEGORIES,
            "metadata": st.sampled_from([None, {"k": 1}, {"k": "x"}, {"k": True, "m": 2}]),
            "quantity": st.sampled_from([None, 1, 2, 3]),
            "active": st.booleans(),
            "shared": st.booleans(),
        }
    ),
    min_size=1,
    max_size=8,
)


def known(field: str) -> Callable[[Voucher], Any]:
    return lambda voucher: voucher[field]


CONDITIONS: list[tuple[str, dict[str, Any], Callable[[Voucher], bool]]] = [
    ("category", {"$is": "a"}, lambda v: v["category"] == "a"),
    ("category", {"$is_not": "a"}, lambda v: v["category"] != "a"),
    ("category", {"$starts_with": "a"}, lambda v: (v["category"] or "").startswith("a")),
    ("category", {"$ends_with": "b"}, lambda v: (v["category"] or "").endswith("b")),
    ("category", {"$contains": "b"}, lambda v: "b" in (v["category"] or "")),
    ("category", {"$not_contain": "b"}, lambda v: "b" not in (v["category"] or "")),
    ("category", {"$is_unknown": ""}, lambda v: v["category"] is None),
    ("category", {"$has_value": ""}, lambda v: v["category"] is not None),
    ("category", {"$not_in": ["a", "b"]}, lambda v: v["category"] not in ("a", "b")),
    ("campaign", {"$is": "P"}, lambda v: v["pool"] == "P"),
    ("campaign", {"$is_unknown": ""}, lambda v: v["pool"] == ""),
    ("redemption.quantity", {"$more_than": 1}, lambda v: (v["quantity"] or 0) > 1),
    ("redemption.quantity", {"$less_than_equal": 2}, lambda v: v["quantity"] in (1, 2)),
    ("redemption.quantity", {"$is_unknown": ""}, lambda v: v["quantity"] is None),
    ("active", {"$is": False}, lambda v: not v["active"]),
    ("active", {"$enabled": True}, lambda v: v["active"]),
    ("metadata.k", {"$is": 1}, lambda v: v["metadata"].get("k") == 1 and v["metadata"]["k"] is not True),
    ("metadata.k", {"$is": "x"}, lambda v: v["metadata"].get("k") == "x"),
    ("metadata.k", {"$is_not": "true"}, lambda v: v["metadata"].get("k") is not True),
    ("metadata.m", {"$has_value": ""}, lambda v: "m" in v["metadata"]),
]
asked = st.lists(st.sampled_from(CONDITIONS), max_size=3, unique_by=lambda condition: condition[0])


@settings(max_examples=40, deadline=None)
@given(
    wanted=vouchers,
    conditions=asked,
    junction=st.sampled_from(["and", "or"]),
    category=CATEGORIES,
    campaign=st.sampled_from([None, "P", "Q"]),
    order=st.sampled_from(["created_at", "-created_at", "code", "-code", None]),
    limit=st.integers(1, 5),
    page=st.integers(1, 3),
)
def test_a_listing_is_what_a_model_finds(
    databases: NewDatabase,
    wanted: list[dict[str, Any]],
    conditions: list[tuple[str, dict[str, Any], Callable[[Voucher], bool]]],
    junction: str,
    category: str | None,
    campaign: str | None,
    order: str | None,
    limit: int,
    page: int,
) -> None:
    filters = {field: {"conditions": operator} for field, operator, _ in conditions}
    query = VouchersQuery(
        limit=limit,
        page=page,
        category=category,
        campaign=campaign,
        order=order,
        filters={"junction": junction, **filters},
    )

    def fits(voucher: Voucher) -> bool:
        if category not in (None, voucher["category"]) or campaign not in (None, voucher["pool"]):
            return False
        holds = [test(voucher) for _, _, test in conditions]
        return not holds or (any(holds) if junction == "or" else all(holds))

    model = [voucher for voucher in _model(wanted) if fits(voucher)]
    if (order or "").endswith("code"):
        model.sort(key=known("code"))
    if (order or "-").startswith("-"):
        model.reverse()
    total, found = asyncio.run(_listed(databases, wanted, query))
    assert total == len(model)
    assert found == [voucher["code"] for voucher in model][(page - 1) * limit : page * limit]


def _model(wanted: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The vouchers with their terms in force; codes come in another order than the vouchers."""
    modelled = []
    for number, voucher in enumerate(wanted):
        pool, own = POOLS[voucher["pool"]], {} if _shares(voucher) else voucher
        modelled.append(
            {
                "code": f"{(number * 7) % 11}-{number}",
                "pool": voucher["pool"],
                "active": voucher["active"],
                "category": own.get("category") or pool.get("category"),
                "quantity": own.get("quantity"),
                "metadata": {**pool.get("metadata", {}), **(voucher["metadata"] or {})},
            }
        )
    return modelled


def _shares(voucher: Voucher) -> bool:
    """Whether it takes its terms from its pool."""
    return bool(voucher["shared"] and voucher["pool"])


def _body(voucher: Voucher) -> dict[str, Any]:
    body = {"metadata": voucher["metadata"], "active": voucher["active"], "campaign": voucher["pool"]}
    if not _shares(voucher):
        body |= {"discount": DISCOUNT, "category": voucher["category"]}
        body |= {"redemption": {"quantity": voucher["quantity"]}}
    return {name: value for name, value in body.items() if value is not None}


async def _listed(
    databases: NewDatabase, wanted: list[dict[str, Any]], query: VouchersQuery
) -> tuple[int, list[str]]:
    with databases() as database:
        async with open_engine(database) as engine:
            for name in ("P", "Q"):
                await engine.create_voucher_pool(warrant(), name, {"discount": DISCOUNT, **POOLS[name]}, [])
            for voucher, expected in zip(wanted, _model(wanted), strict=True):
                await engine.create_voucher(warrant(), expected["code"], _body(voucher), "concise")
            answer = await engine.list_vouchers(query, "concise")
    return answer.beside["total"], [voucher["code"] for voucher in answer.data]
