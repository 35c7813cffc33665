"""What agents see changes only on purpose."""

from tests.protocol.snapshot import RENEW, committed, listed


async def test_tools_list_is_as_committed() -> None:
    before, now = ({tool["name"]: tool for tool in tools} for tools in (committed(), await listed()))
    changed = sorted(name for name in before.keys() & now if before[name] != now[name])
    differences = {
        "changed": changed,
        "gone": sorted(before.keys() - now),
        "new": sorted(now.keys() - before),
    }
    said = ", ".join(f"{what}: {' '.join(names)}" for what, names in differences.items() if names)
    assert not said, f"{said}. If that is meant, renew the snapshot: {RENEW}"


async def test_the_order_of_the_tools_is_as_committed() -> None:
    assert [tool["name"] for tool in await listed()] == [tool["name"] for tool in committed()], RENEW
