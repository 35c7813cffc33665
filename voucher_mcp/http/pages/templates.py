"""Pages are made from templates, in which whatever is put in is escaped."""

from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from starlette.responses import HTMLResponse, Response

from voucher_mcp.domain.values.money import money
from voucher_mcp.domain.values.texts import counted

if TYPE_CHECKING:
    from jinja2 import Environment


def page(name: str, status: int = 200, **values: Any) -> Response:
    """The page of that template."""
    return HTMLResponse(_environment().get_template(name).render(**values), status)


def text_of(name: str) -> str:
    """A file that goes out as it is."""
    return (files("voucher_mcp.http.pages") / "files" / name).read_text(encoding="utf-8")


@cache
def _environment() -> "Environment":
    from jinja2 import Environment, FunctionLoader, StrictUndefined  # only who opens a page waits for it

    made = Environment(
        loader=FunctionLoader(text_of),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters["money"] = money
    made.filters["counted"] = counted
    return made
