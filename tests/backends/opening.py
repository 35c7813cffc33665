"""How the suite reaches each backend: one entry a backend, and every test that fits runs on it too."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mcp import Client

from tests.backends.traits import TRAITS
from tests.databases.database import Database, url_of
from tests.standins import bloomreach as loomi
from tests.standins import mews as mews_system
from tests.standins import voucherify as voucherify_system
from tests.standins.voucherify import faults as voucherify_faults
from voucher_mcp.backends.opening import can
from voucher_mcp.config import Project, Settings
from voucher_mcp.server import all_tools, build_server

Table = dict[str, Any]
"""A project as a user configures it."""

PutPool = Callable[[str, Sequence[str]], str]

PROJECT = "shop"
IMPORT = "spring"
"""An import that somebody defined, where a system has such."""


@dataclass(frozen=True)
class System:
    """A running voucher system with nothing in it."""

    table: Table
    """The project on it."""
    standin: Any = None
    """What stands in for a vendor, for a test of that vendor alone."""
    writes: Callable[[], int] = field(default=lambda: 0)
    """How many requests that change something a vendor has received."""
    put_pool: PutPool | None = None
    """Puts a pool with codes into a vendor's system, past all tools, and answers its id."""
    hang: Callable[[], None] = field(default=lambda: None)
    """From now on a vendor answers nothing."""
    asked: Callable[[], int] = field(default=lambda: 0)
    """How many requests a vendor has received."""


@asynccontextmanager
async def _local(folder: Path) -> AsyncIterator[System]:
    yield System(local_table(folder / "vouchers.db"))


@asynccontextmanager
async def _voucherify(_: Path) -> AsyncIterator[System]:
    async with voucherify_system.serve() as vendor:
        vendor.state.polls = 0  # jobs are done when they are first asked about
        table = _voucherify_table(vendor.base_url, vendor.app_id, vendor.app_token)
        yield System(
            table,
            vendor,
            # a validation without a session reserves nothing
            writes=lambda: sum(
                request.method != "GET"
                and (b'"session"' in request.body or "/validations" not in request.path)
                for request in list(vendor.requests)
            ),
            put_pool=vendor.add_campaign,
            hang=lambda: vendor.fail(voucherify_faults.hang(), times=1_000),
            asked=lambda: len(vendor.requests),
        )


@asynccontextmanager
async def _mews(_: Path) -> AsyncIterator[System]:
    async with mews_system.serve() as vendor:
        table = _mews_table(vendor.base_url, vendor.client_token, vendor.access_token)
        yield System(
            table,
            vendor,
            writes=lambda: sum(not request.path.endswith("/getAll") for request in list(vendor.requests)),
            put_pool=lambda name, codes: vendor.add_voucher(name, codes=codes),
            hang=lambda: vendor.fail(mews_system.HANG, times=1_000),
            asked=lambda: len(vendor.requests),
        )


@asynccontextmanager
async def _bloomreach(_: Path) -> AsyncIterator[System]:
    async with loomi.serve() as vendor:
        shop = vendor.data.add_project("Shop")
        key = vendor.data.add_key(IMPORT)

        def put_pool(name: str, codes: Sequence[str]) -> str:
            return vendor.data.add_pool(shop, name, codes=[loomi.Code(code) for code in codes])

        yield System(
            _bloomreach_table(vendor.base_url, vendor.sign_in.issue(), key.key_id, key.secret),
            vendor,
            writes=lambda: len(vendor.requests_to("/data/")),
            put_pool=put_pool,
            hang=lambda: vendor.fail(loomi.Hang(), times=1_000),
            asked=lambda: len(vendor.requests),
        )


def local_table(database: Database | Path) -> Table:
    """A project in that database, or file."""
    return {"backend": "local", "url": url_of(database)}


def _voucherify_table(base_url: str, app_id: str, app_token: str) -> Table:
    return {"backend": "voucherify", "base_url": base_url, "app_id": app_id, "app_token": app_token}


def _mews_table(base_url: str, client_token: str, access_token: str) -> Table:
    tokens = {"client_token": client_token, "access_token": access_token}
    return {"backend": "mews", "base_url": base_url, **tokens}


def _bloomreach_table(base_url: str, token: str, key_id: str, secret: str) -> Table:
    key = {"project_token": "project-token", "api_key_id": key_id, "api_secret": secret}
    return {"backend": "bloomreach", "url": f"{base_url}/mcp", "token": token, "api_base": base_url, **key}


SECRETS: Mapping[str, str] = {"voucherify": "app_token", "mews": "access_token", "bloomreach": "token"}
"""The setting of each vendor that lets an account in."""

SYSTEMS: Mapping[str, Callable[[Path], AbstractAsyncContextManager[System]]] = {
    "local": _local,
    "voucherify": _voucherify,
    "mews": _mews,
    "bloomreach": _bloomreach,
}
"""Brings up an empty voucher system for as long as the context lasts."""

NOWHERE: Mapping[str, Table] = {
    "local": local_table(Path("vouchers.db")),
    "voucherify": _voucherify_table("http://127.0.0.1:9", "id", "token"),
    "mews": _mews_table("http://127.0.0.1:9", "client", "access"),
    "bloomreach": _bloomreach_table("http://127.0.0.1:9", "token", "key", "secret"),
}
"""The same projects before anything runs: what they can do is told by their configuration alone."""


def lacks(backend: str, needed: Sequence[str]) -> list[str]:
    """What of the needed methods and traits a backend does not have."""
    project = Settings.model_validate({"projects": {PROJECT: NOWHERE[backend]}}).projects[PROJECT]
    return [
        name for name in needed if not (backend in TRAITS[name] if name in TRAITS else _serves(project, name))
    ]


def _serves(project: Project, name: str) -> bool:
    """Whether a project's system has a method, or that which the tool of the name needs."""
    tool = all_tools().get(name)
    method = name if tool is None else tool.method
    return method is None or can(project, method)


@asynccontextmanager
async def connect(folder: Path | None = None, /, **projects: Table) -> AsyncIterator[Client]:
    """A client of a server with these projects, where nobody is asked before a deletion.

    Args:
        folder: where the journal of the writes on vendors is kept; None where no vendor is written to.
    """
    tables = {name: {"destructive": "allow", "access": "write", **table} for name, table in projects.items()}
    state = {} if folder is None else {"state": f"sqlite:///{folder / 'state.db'}"}
    async with Client(build_server(Settings.model_validate({**state, "projects": tables}))) as client:
        yield client
