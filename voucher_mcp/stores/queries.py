"""Named queries in .sql files: `-- name` on a line of its own, then the statement."""

import re
from importlib.resources import files

_NAMED = re.compile(r"^-- ([a-z_]+)\n(.*?)(?=^-- [a-z_]+\n|\Z)", re.MULTILINE | re.DOTALL)


def load_queries(dialect: str) -> dict[str, str]:
    """Every query of `sql/<dialect>/*.sql` by its name."""
    queries: dict[str, str] = {}
    for file in sorted(files(__package__).joinpath("sql", dialect).iterdir(), key=lambda file: file.name):
        for name, statement in _NAMED.findall(file.read_text(encoding="utf-8")):
            if name in queries:
                raise ValueError(f"query {name} is written twice")
            queries[name] = statement.strip().rstrip(";")
    return queries


def load_migrations(dialect: str) -> list[str]:
    """The scripts of `migrations/<dialect>/`, the first one bringing an empty database to schema 1."""
    folder = files(__package__).joinpath("migrations", dialect)
    return [file.read_text(encoding="utf-8") for file in sorted(folder.iterdir(), key=lambda file: file.name)]
