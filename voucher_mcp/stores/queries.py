"""Named queries in .sql files: `-- name` on a line of its own, then the statement."""

import re
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable

_NAMED = re.compile(r"^-- ([a-z_]+)\n(.*?)(?=^-- [a-z_]+\n|\Z)", re.MULTILINE | re.DOTALL)


@cache
def load_queries(dialect: str) -> Mapping[str, str]:
    """Every query of `sql/<dialect>/*.sql` by its name."""
    queries: dict[str, str] = {}
    for file in sorted(files(__package__).joinpath("sql", dialect).iterdir(), key=lambda file: file.name):
        for name, statement in _named(file):
            if name in queries:
                raise ValueError(f"query {name} is written twice")
            queries[name] = statement
    return queries


@cache
def load_fragments(dialect: str) -> Mapping[str, str]:
    """What the conditions of listings are made of: the parts in `sql/fragments/<dialect>.sql` by name."""
    return dict(_named(files(__package__).joinpath("sql", "fragments", f"{dialect}.sql")))


def _named(file: Traversable) -> Iterator[tuple[str, str]]:
    for name, text in _NAMED.findall(file.read_text(encoding="utf-8")):
        yield name, text.strip().rstrip(";")


@cache
def load_migrations(dialect: str) -> tuple[str, ...]:
    """The scripts of `migrations/<dialect>/`, the first one bringing an empty database to schema 1."""
    scripts = sorted(files(__package__).joinpath("migrations", dialect).iterdir(), key=lambda file: file.name)
    return tuple(file.read_text(encoding="utf-8") for file in scripts)
