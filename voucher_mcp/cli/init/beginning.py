"""`voucher-mcp init`, step by step: what there is, whether it works, the file, the assistant, what to ask."""

import argparse
import os
import tempfile
from collections.abc import Collection, Mapping
from pathlib import Path

import anyio

from voucher_mcp.cli.check import findings, show
from voucher_mcp.cli.client_config import write
from voucher_mcp.cli.clients.catalogue import CLIENTS
from voucher_mcp.cli.clients.writing import put, read
from voucher_mcp.cli.init.choosing import Choice, choose
from voucher_mcp.cli.init.configuration import project_of, secrets_of, text_of
from voucher_mcp.cli.init.questions import InputEnded, Questions
from voucher_mcp.cli.main import DONE, FAILED
from voucher_mcp.config import Settings, load_settings, named_file, usual_file
from voucher_mcp.config.environment import given
from voucher_mcp.config.errors import hint
from voucher_mcp.config.values import parse_path
from voucher_mcp.domain.errors import InvalidInput, VoucherError

_NOTHING = "Nothing was written."
_ASK = (
    "Which voucher pools do we have, and how many codes are left in each?",
    "Make a pool “Welcome” with 50 codes for 10 % off, and show me first what you would do.",
    "What was changed today, by whom, and can it be taken back?",
)


def run(arguments: argparse.Namespace) -> int:
    """Ask, try, write; 1 where what was written does not work.

    Raises:
        InvalidInput: a flag is wrong, or standard input ended; nothing was written.
    """
    questions = Questions(silent=arguments.yes)
    file = _file(arguments.output or arguments.config or _looked_for())
    try:
        choice = choose(arguments, questions)
        text = text_of(choice.systems, choice.currency, choice.timezone)
        works, settings = _try(choice, text, questions)
        if not _agreed(file, text, works, questions):
            print(_NOTHING)
            return FAILED
        _write(file, text)
    except InputEnded as error:
        raise InvalidInput(f"{error.message} {_NOTHING}") from None
    except KeyboardInterrupt:
        print(f"\n{_NOTHING}")
        raise
    _tell_next(choice, file)
    _offer_client(settings, file, questions)
    print("\nThen ask your assistant, for example:")
    print("\n".join(f"  {number}. {question}" for number, question in enumerate(_ASK, 1)))
    return DONE if works else FAILED


def _looked_for() -> Path:
    """Where the server looks for its configuration by itself."""
    return named_file(None, os.environ) or usual_file()


def _file(named: Path) -> Path:
    try:
        file = parse_path(str(named), Path())
    except ValueError as error:
        raise InvalidInput(f"{named}: {error}") from None
    if file.is_dir():
        raise InvalidInput(f"{file} is a directory; name a file with --output.")
    return file


def _try(choice: Choice, text: str, questions: Questions) -> tuple[bool, Settings]:
    """Whether all works but for what is not set yet, and the settings that the text makes."""
    environ = dict(os.environ)
    for name in secrets_of(choice.systems):
        if name not in given(environ) and (
            value := questions.secret(f"{name} (hidden, and not kept; Enter: later):")
        ):
            environ[name] = value
    settings = _loaded(text, environ)
    later = {project_of(system, choice.systems) for system in choice.systems if system.signs_in}
    print("Trying it:")
    return anyio.run(_works, settings, later), settings


async def _works(settings: Settings, later: Collection[str]) -> bool:
    works = True
    async for finding in findings(settings):
        show(finding, settings)
        awaited = settings.unusable(finding.project) is not None or finding.project in later
        works &= finding.ok or awaited
    return works


def _loaded(text: str, environ: Mapping[str, str]) -> Settings:
    """What the server will make of the text."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "config.toml")
        file.write_text(text, encoding="utf-8")
        return load_settings(file, environ)


def _agreed(file: Path, text: str, works: bool, questions: Questions) -> bool:
    print()
    if not works and not questions.yes("Not all of it works. Write it all the same?", default=True):
        return False
    if not file.exists() or file.read_bytes() == text.encode():
        return True
    question = f"{file} is there already. Replace it? It stays beside it as {file.name}.bak."
    return questions.yes(question, default=questions.silent)


def _write(file: Path, text: str) -> None:
    target, content = Path(os.path.realpath(file)), text.encode()
    before = read(target)
    if before != content:
        put(target, content, before)
    kept = "" if before in (None, content) else f"; what was there is {file.name}.bak"
    print(f"{file} is written{kept}.")


def _tell_next(choice: Choice, file: Path) -> None:
    if missing := [name for name in secrets_of(choice.systems) if name not in given(os.environ)]:
        print(f"Set {', '.join(missing)} where the server starts: your shell, or the assistant's settings.")
    if file != _looked_for():
        print(f"It is not where voucher-mcp looks by itself: add --config {file}, or set VOUCHER_MCP_CONFIG.")
    for system in choice.systems:
        if system.name == "postgresql":
            print("Then make its tables: voucher-mcp migrate")
        if system.signs_in:
            print(f"Then sign in: voucher-mcp login {project_of(system, choice.systems)}")


def _offer_client(settings: Settings, file: Path, questions: Questions) -> None:
    """Tell an assistant of the server; what was written stays, whatever comes of this."""
    command = "voucher-mcp client-config CLIENT --write"
    config = None if file == _looked_for() else file
    print(f"\nYour assistant has to know how to start the server: {command} does that.")
    try:
        name = questions.ask(f"Do it now, for which of these? {', '.join(CLIENTS)}", "", _client, "none")
        if name:
            write(name, settings, config, None)
    except (InputEnded, KeyboardInterrupt):
        print("\nNot now.")
    except (VoucherError, OSError) as error:
        print(error.message if isinstance(error, VoucherError) else f"{error.filename}: {error.strerror}")


def _client(answer: str) -> str:
    if answer in ("none", "no", "n"):
        return ""
    if answer not in CLIENTS:
        raise ValueError(f"There is no {answer[:64]!r} among them{hint(answer, CLIENTS)}")
    return answer
