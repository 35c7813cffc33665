"""What every suite shares."""

from pathlib import Path

import pytest
from hypothesis import settings

# A slow machine is no bug, and a failure is worth its example wherever it happens.
settings.register_profile("voucher-mcp", deadline=None, print_blob=True)
settings.load_profile("voucher-mcp")


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """Where a test may make its voucher database; nothing is there yet."""
    return tmp_path / "vouchers.db"
