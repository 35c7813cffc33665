"""What every suite shares."""

import gc
import json
import os
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from jsonschema import Draft202012Validator
from mcp.types import Tool

from tests.forking import Forker
from voucher_mcp.tools.registry import ToolDefinition

# The same examples in every run, so that only a change can break it; `--hypothesis-profile=explore` looks for
# new ones. A slow machine is no bug.
_PATIENT = settings(deadline=None, print_blob=True, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("explore", _PATIENT, max_examples=1_000)
settings.register_profile("voucher-mcp", _PATIENT, derandomize=True)
settings.load_profile("voucher-mcp")


def pytest_collection_finish() -> None:
    """Thousands of tests, read once, are not to be looked through again whenever memory is tidied."""
    gc.collect()
    gc.freeze()


FOREIGN = (
    *("VOUCHER_MCP_", "VOUCHERIFY_", "MEWS_", "LOOMI_", "XDG_"),
    *("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "SSL_CERT_"),
    *("BROWSER", "FORCE_COLOR", "NO_COLOR", "COLUMNS"),
)
"""How variables begin that configure the product, what it reaches, or how it looks."""


@pytest.fixture(scope="session", autouse=True)
def _environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """What the person at this machine has set is not for the tests, nor for the processes that they start.

    Over TLS nobody is trusted: no test needs it, and reading the system's list takes 70 ms a client.
    """
    with pytest.MonkeyPatch.context() as patch:
        for name in list(os.environ):
            if name.upper().startswith(FOREIGN):
                patch.delenv(name)
        patch.setenv("SSL_CERT_DIR", str(tmp_path_factory.mktemp("authorities")))
        yield


@pytest.fixture(scope="session", autouse=True)
def _schemas_are_checked_once() -> Iterator[None]:
    """A client checks the schemas of a server's tools in every session; they are the same in thousands."""
    check = Draft202012Validator.check_schema
    checked = set[str]()

    def check_once(schema: Mapping[str, Any]) -> None:
        text = json.dumps(schema, sort_keys=True)
        if text not in checked:
            check(schema)
            checked.add(text)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Draft202012Validator, "check_schema", check_once)
        yield


@pytest.fixture(scope="session", autouse=True)
def _tools_are_described_once() -> Iterator[None]:
    """A server describes its tools as it starts; thousands start here, with the same few systems."""
    describe = ToolDefinition.shown
    described: dict[tuple[str, frozenset[str]], Tool] = {}

    def describe_once(definition: ToolDefinition, systems: Collection[str]) -> Tool:
        key = (definition.name, frozenset(systems))
        if key not in described:
            described[key] = describe(definition, systems)
        return described[key]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ToolDefinition, "shown", describe_once)
        yield


@pytest.fixture(scope="session")
def forker() -> Iterator[Forker]:
    """Runs commands that need not wait for imports."""
    forker = Forker()
    yield forker
    forker.close()


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """Where a test may make its voucher database; nothing is there yet."""
    return tmp_path / "vouchers.db"
