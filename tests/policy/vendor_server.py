"""The server as a process, with the stand-in adapter in the place of Voucherify's."""

from tests.policy.vendor import FlakyBackend
from voucher_mcp.backends import opening
from voucher_mcp.cli.main import main


def use_stand_in() -> None:
    """Let projects of the backend voucherify be served by it."""
    opening._ADAPTERS["voucherify"] = (FlakyBackend.__module__, FlakyBackend.__name__)


if __name__ == "__main__":
    use_stand_in()
    main()
