"""The embedded engine as the figures use it: through the adapter, over files of their own."""

import secrets
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from voucher_mcp.backends.local.adapter import LocalBackend
from voucher_mcp.backends.opening import open_backends
from voucher_mcp.config import load_settings
from voucher_mcp.domain.vouchers.pool import NewCode
from voucher_mcp.domain.write import Write

PROJECT = "default"
_STEP, _BITS = 0x9E3779B97F4A7C15, 48


def codes(count: int, first: int = 0) -> Iterator[str]:
    """Different codes of twelve hexadecimal digits, in no order like random ones; the same every time."""
    mask = (1 << _BITS) - 1
    return (f"{n * _STEP & mask:012X}" for n in range(first, first + count))


def remove(database: Path) -> None:
    """The database with all that lies beside it."""
    for file in database.parent.glob(database.name + "*"):
        file.unlink()


def configuration(database: Path) -> Path:
    """A configuration file whose one project is that database."""
    file = database.with_suffix(".toml")
    file.write_text(
        f'[projects.{PROJECT}]\nbackend = "local"\nurl = "sqlite:///{database}"\n', encoding="utf-8"
    )
    return file


@asynccontextmanager
async def opened(database: Path) -> AsyncIterator[LocalBackend]:
    """The project in a database file, made where there is none."""
    async with open_backends(load_settings(configuration(database), {})) as backends:
        backend = await backends.get(PROJECT)
        assert isinstance(backend, LocalBackend)
        yield backend


def write(tool: str) -> Write:
    """A write with a key and a digest that were never seen before."""
    return Write(tool=tool, digest=secrets.token_hex(32), caller="bench", key=secrets.token_hex(16))


TEN_PERCENT = {"discount": {"type": "PERCENT", "percent_off": 10}, "redemption": {"quantity": 1}}


async def make_pool(backend: LocalBackend, name: str, values: Iterator[str] | Sequence[str] = ()) -> str:
    """A new pool with these codes, put into it by the bulk path; answers its id."""
    pool = await backend.create_voucher_pool(write("create_voucher_pool"), name, TEN_PERCENT, [])
    async for batch in backend.import_codes(write("codes import"), pool.data["id"], map(NewCode, values)):
        assert not batch.rejected
    return pool.data["id"]
