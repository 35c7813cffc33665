"""What every suite shares."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# The same examples in every run, so that only a change can break it; `--hypothesis-profile=explore` looks for
# new ones. A slow machine is no bug.
_PATIENT = settings(deadline=None, print_blob=True, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("explore", _PATIENT, max_examples=1_000)
settings.register_profile("voucher-mcp", _PATIENT, derandomize=True)
settings.load_profile("voucher-mcp")


@pytest.fixture(scope="session", autouse=True)
def _no_authorities(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Over TLS nobody is trusted: no test needs it, and reading the system's list takes 70 ms a client."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("SSL_CERT_FILE", raising=False)
        patch.setenv("SSL_CERT_DIR", str(tmp_path_factory.mktemp("authorities")))
        yield


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """Where a test may make its voucher database; nothing is there yet."""
    return tmp_path / "vouchers.db"
