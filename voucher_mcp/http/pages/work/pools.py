"""The page of pools: what is left, when it runs out, what expires."""

from collections.abc import Mapping
from typing import Any, Final

from starlette.responses import Response

from voucher_mcp.http.pages.work.desk import Desk

UNKNOWN: Final[Mapping[str, Any]] = {
    "active": None,
    "available": None,
    "used_per_day": None,
    "runs_out": None,
    "expiring": None,
    "outstanding": None,
    "warnings": None,
}
PARTS: Final = (("free", "available"), ("held", "assigned"), ("used", "redeemed"))


async def pools(desk: Desk) -> Response:
    """The pools of the project that is looked at, with their health where the system can say it."""
    listed = await desk.look("list_voucher_pools")
    health = await desk.look("get_pool_health")
    found = {one["id"]: one for one in listed["data"]}
    for one in health["data"]:
        found[one["id"]] = {**found.get(one["id"], {}), **one}
    shown = [{**UNKNOWN, **one, "bar": _bar(one)} for one in found.values()]
    shown.sort(key=lambda one: not one["warnings"])
    error = listed["error"] or health["error"]
    return desk.page("pools.html", pools=shown, error=error, more=listed.get("has_more", False))


def _bar(pool: dict[str, Any]) -> list[dict[str, Any]]:
    """What of a pool's codes is in which state, as parts of a bar of 100."""
    known = [(kind, word, pool.get(word)) for kind, word in PARTS]
    parts = [(kind, word, count) for kind, word, count in known if isinstance(count, int)]
    total = pool.get("total") or sum(count for _, _, count in parts)
    bar: list[dict[str, Any]] = []
    at = 0.0
    for kind, word, count in parts:
        width = round(100 * count / total, 3) if total else 0
        bar.append({"kind": kind, "word": word, "count": count, "at": round(at, 3), "width": width})
        at += width
    return bar
