"""What the protocol suite shares: tests that ask for `era` run in both protocol eras."""

import pytest


@pytest.fixture(params=["auto", "legacy"])
def era(request: pytest.FixtureRequest) -> str:
    """A client's `mode`: `auto` comes to 2026-07-28, `legacy` shakes hands as it was done before."""
    mode: str = request.param
    return mode
