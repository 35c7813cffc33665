"""What the protocol suite shares: tests that ask for `era` run in both protocol eras."""

import pytest

from tests.protocol import wire


@pytest.fixture(params=["auto", "legacy"])
def era(request: pytest.FixtureRequest) -> str:
    """A client's `mode`: `auto` comes to 2026-07-28, `legacy` shakes hands as it was done before."""
    mode: str = request.param
    return mode


@pytest.fixture(params=["pipes", "threads"])
def transport(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """The test's processes serve over our own transport, and once more over the SDK's."""
    if request.param == "threads":
        monkeypatch.setattr(wire, "over_threads", True)
