"""What each tool costs an agent is written down, and nothing grows unseen."""

from evals import costs


async def test_no_tool_costs_more_than_is_written_down() -> None:
    written = costs.read(costs.FILE.read_text(encoding="utf-8"))
    measured = {name: list(sizes) for name, *sizes in await costs.measure()}
    assert measured.keys() == written.keys(), "renew it: python -m evals costs"
    for name, sizes in measured.items():
        for now, then in zip(sizes, written[name], strict=True):
            assert (now is None) == (then is None), name
            if now is not None and then is not None:
                assert abs(now - then) <= max(10, then * costs.MARGIN), f"{name}: {then} became {now}"
