"""Who calls, and what they may use."""

from dataclasses import dataclass

from voucher_mcp.config import Access, Settings


@dataclass(frozen=True, slots=True)
class Caller:
    """One who calls. Keys, limits and the journal's lines are theirs by name."""

    name: str
    access: frozenset[tuple[str, Access]] | None = None
    """The projects that they may use, by id; None: all, as they are configured."""
    groups: tuple[str, ...] = ()
    """Of those by which they may use them, the names."""

    def granted(self, settings: Settings) -> Settings:
        """The settings as they hold for them."""
        return settings if self.access is None else settings.granted(dict(self.access))


STDIO = Caller("stdio")
"""Everyone who speaks over standard input is the user who started the process."""
