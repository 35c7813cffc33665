"""Which kind of job each type is."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from voucher_mcp.backends.local.jobs.bulk_updates import EachUpdate, SameUpdate
from voucher_mcp.backends.local.jobs.imports import CsvImport, JsonImport
from voucher_mcp.backends.local.jobs.job_input import InputJob

_KINDS: Final[Mapping[str, Callable[[Mapping[str, Any]], InputJob]]] = {
    JsonImport.type: lambda _: JsonImport(),
    CsvImport.type: lambda parameters: CsvImport(**parameters),
    EachUpdate.type: lambda _: EachUpdate(),
    SameUpdate.type: lambda parameters: SameUpdate(parameters["metadata"]),
}


def kind_of(name: str, parameters: Mapping[str, Any]) -> InputJob:
    """A job of that type, at the start of its work."""
    return _KINDS[name](parameters)
