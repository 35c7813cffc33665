"""Which tools the vendor's server offers: its documents and its live catalogue name them differently."""

from collections.abc import Mapping
from dataclasses import dataclass

from mcp.types import Tool

from voucher_mcp.domain.errors import UpstreamError

LIST_POOLS = ("list_voucher_pools", "search_voucher_pools")
GET_POOL = ("get_voucher_pool", "search_voucher_pools")
LIST_CODES = ("list_voucher_codes",)
"""What serves each purpose, the documented name first. The search lists pools, or fetches one by its id."""


@dataclass(frozen=True, slots=True)
class Offer:
    """A tool that the server offers."""

    name: str
    arguments: frozenset[str]

    @classmethod
    def of(cls, tool: Tool) -> "Offer":
        properties = tool.input_schema.get("properties")
        return cls(tool.name, frozenset(properties if isinstance(properties, dict) else ()))

    def takes(self, *names: str) -> bool:
        """Whether it has all of these arguments."""
        return self.arguments.issuperset(names)


Catalogue = Mapping[str, Offer]


def offered(catalogue: Catalogue, names: tuple[str, ...]) -> Offer:
    """The first of these tools that there is.

    Raises:
        UpstreamError: there is none.
    """
    if (name := next((name for name in names if name in catalogue), None)) is not None:
        return catalogue[name]
    if len(names) == 1:
        lacks = f"does not offer the tool {names[0]}"
    else:
        lacks = f"offers neither the tool {' nor '.join(names)}"
    raise UpstreamError(
        f"Bloomreach's server {lacks} to the account that signed in, so this cannot be read. Let the "
        "operator see whether the account has the right to voucher pools in the product."
    )
