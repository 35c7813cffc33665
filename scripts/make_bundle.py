"""`make bundle`: dist/voucher-mcp.mcpb, which Claude Desktop and others install with a double click.

It is a zip of the package, its manifest, and a pyproject.toml from which uv installs what the package needs,
in the versions that are tested. The same sources make the same bytes.
"""

import json
import sys
import tomllib
import zipfile
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
BUNDLE = ROOT / "deploy" / "bundle"
LONG_AGO = (1980, 1, 1, 0, 0, 0)
"""The time of every file in it: the first that a zip can hold."""


def pyproject() -> str:
    """What uv reads: our dependencies, and the versions of all theirs."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    manifest = json.loads((BUNDLE / "manifest.json").read_text(encoding="utf-8"))
    pins = (ROOT / "constraints.txt").read_text(encoding="utf-8").split()
    # a list of JSON is a list of TOML
    return "\n".join(
        [
            "[project]",
            f"name = {json.dumps(project['name'])}",
            f"version = {json.dumps(manifest['version'])}",
            f"requires-python = {json.dumps(project['requires-python'])}",
            f"dependencies = {json.dumps(project['dependencies'], indent=4)}",
            "",
            "[tool.uv]",
            "package = false",
            f"constraint-dependencies = {json.dumps(pins, indent=4)}",
            "",
        ]
    )


def contents() -> Iterator[tuple[str, bytes]]:
    """The files of the bundle, by their names in it."""
    for name in ("icon.png", "manifest.json", "server.py"):
        yield name, (BUNDLE / name).read_bytes()
    yield "LICENSE", (ROOT / "LICENSE").read_bytes()
    yield "pyproject.toml", pyproject().encode()
    for path in sorted((ROOT / "voucher_mcp").rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts:
            yield path.relative_to(ROOT).as_posix(), path.read_bytes()


def make(target: Path) -> None:
    """Write the bundle."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as bundle:
        for name, content in contents():
            file = zipfile.ZipInfo(name, LONG_AGO)
            file.compress_type, file.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
            bundle.writestr(file, content)


if __name__ == "__main__":
    made = Path(sys.argv[1]) if sys.argv[1:] else ROOT / "dist" / "voucher-mcp.mcpb"
    make(made)
    sys.stdout.write(f"{made}: {made.stat().st_size / 1000:.0f} kB\n")
