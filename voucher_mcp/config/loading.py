"""Finds the configuration, reads it and builds the settings."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, get_args

from pydantic import ValidationError

from voucher_mcp.config.base import ACCESS
from voucher_mcp.config.environment import DATABASE_URL, OURS, SHARED, VENDORS, Choices, Variables, given
from voucher_mcp.config.errors import ConfigError, KeyPath, key_path
from voucher_mcp.config.explain import explain
from voucher_mcp.config.missing import place_in_project, with_stand_ins
from voucher_mcp.config.models import TOOLSETS, Destructive, Settings
from voucher_mcp.config.substitution import Missing, Substitution
from voucher_mcp.config.values import parse_path


def load_settings(config: Path | None, environ: Mapping[str, str]) -> Settings:
    """The settings from a file and the environment.

    The file is `config`, else VOUCHER_MCP_CONFIG, else `config.toml` in the user's config directory if
    there is one. Variables that are empty or blank count as not set (`given`).

    - A file that names projects is the whole truth about them: the vendors' variables and
      VOUCHER_MCP_DATABASE_URL matter only where it says `${NAME}`. Beside it VOUCHER_MCP_READ_ONLY, _ACCESS,
      _DESTRUCTIVE and _TOOLSETS can only tighten what it says, never loosen it (ours).
    - Where no file names projects the environment makes them, and those four set what they say, as do
      VOUCHER_MCP_CURRENCY, _TIMEZONE and _FOLDER. If it says nothing either, there is one project,
      `default`: local, in the data directory, writable.

    A value that is missing, of the environment or a file that `${…}` names, takes away its project alone:
    `Settings.unusable` says why.

    Nothing is created, and nothing opened but these files. Raises ConfigError with all that is wrong.
    """
    variables = Variables(given(environ))
    file = configuration_file(config, variables.environ)
    folder = file.parent if file else Path()
    substitution = Substitution(variables.environ, folder)
    filled = {key: substitution.fill(value, (key,)) for key, value in (_read(file) if file else {}).items()}
    choices = variables.choices()
    names: dict[KeyPath, str] = {}
    if filled.get("projects", {}) == {}:
        filled["projects"] = tables = variables.projects(choices)
        names = variables.names(tables)
    variables.refuse_unknown(substitution.used)

    settings, wrong = _validate(filled, folder)
    missing = {**substitution.missing, **_absent(wrong, names, filled)}
    places = {place for key in missing if (place := place_in_project(key))}
    if blank := places & {place_in_project(key) for key in wrong}:
        settings, wrong = _validate(with_stand_ins(filled, blank), folder)
    # a value that could not be filled in is its key's only problem, and none where it is a project's
    fatal = [key for key in missing if key in wrong or place_in_project(key) is None]
    wrong |= {key: "".join(missing[key]) for key in fatal}
    wrong |= substitution.broken
    # a variable may be wrong in several projects
    problems = {f"{names.get(key) or _place(file, key)}: {what}": None for key, what in wrong.items()}
    if settings is None or problems or variables.problems:
        raise ConfigError(*variables.problems, *problems)
    return _tightened(settings, choices).lacking(_by_project(missing))


def variables_in_use(config: Path | None, environ: Mapping[str, str]) -> list[str]:
    """The names of the variables that `load_settings` takes values from, but for VOUCHER_MCP_CONFIG.

    Those that the file names are among them whether they are set or not.

    Raises:
        ConfigError: the file cannot be read.
    """
    set_now = given(environ)
    file = configuration_file(config, set_now)
    tables = _read(file) if file else {}
    substitution = Substitution(set_now, file.parent if file else Path())
    substitution.fill(tables)
    of_projects = {DATABASE_URL, *SHARED, *VENDORS}
    ours = {*OURS, *VENDORS} - {"VOUCHER_MCP_CONFIG"}
    if tables.get("projects"):
        ours -= of_projects
    return sorted(substitution.used | (ours & set_now.keys()))


def configuration_file(config: Path | None, environ: Mapping[str, str]) -> Path | None:
    """The file that `load_settings` reads, absolute; None where there is none and none is named.

    Raises:
        ConfigError: the path cannot be one.
    """
    if (named := named_file(config, environ)) is not None:
        return named
    file = usual_file()
    try:
        file.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError:
        pass  # it may be there, and hold restrictions: reading it says why it cannot be read
    return file


def named_file(config: Path | None, environ: Mapping[str, str]) -> Path | None:
    """The file that `config` names, else VOUCHER_MCP_CONFIG, absolute; None where neither does.

    Raises:
        ConfigError: the path cannot be one.
    """
    named = config or given(environ).get("VOUCHER_MCP_CONFIG", "").strip()
    try:
        return parse_path(str(named), Path()) if named else None
    except ValueError as error:
        raise ConfigError(f"{named}: {error}") from None


def usual_file() -> Path:
    """Where the configuration is looked for if nothing names another file."""
    import platformdirs

    return Path(platformdirs.user_config_dir("voucher-mcp", appauthor=False)) / "config.toml"


def _read(file: Path) -> dict[str, object]:
    import tomllib

    try:
        if not file.is_dir():
            # Windows editors put a byte order mark first
            return tomllib.loads(file.read_text(encoding="utf-8-sig"))
        problem = "is a directory"
    except FileNotFoundError:
        problem = "there is no such file"
    except UnicodeDecodeError as error:
        problem = f"is not UTF-8 text (byte {error.start})"
    except tomllib.TOMLDecodeError as error:
        problem = f"is not valid TOML: {error}"
    except OSError as error:
        problem = f"cannot be read: {error.strerror}"
    raise ConfigError(f"{file}: {problem}")


def _validate(tables: Mapping[str, object], folder: Path) -> tuple[Settings | None, dict[KeyPath, str]]:
    try:
        return Settings.model_validate(tables, context={"folder": folder}), {}
    except ValidationError as error:
        return None, dict(explain(error))


def _absent(
    wrong: Iterable[KeyPath], names: Mapping[KeyPath, str], tables: Mapping[str, Any]
) -> dict[KeyPath, Missing]:
    """The values that a variable would have set, and no variable did."""
    return {
        key: Missing(f"environment variable {names[key]} is not set")
        for key in wrong
        if key in names and str(key[2]) not in tables["projects"][key[1]]
    }


def _by_project(missing: Mapping[KeyPath, Missing]) -> dict[str, Missing]:
    """What is missing in each project."""
    found: dict[str, dict[Missing, None]] = {}
    for key, one in missing.items():
        found.setdefault(str(key[1]), {})[one] = None
    return {
        project: Missing("; ".join(one.what for one in several), "".join(one.guess for one in several))
        for project, several in found.items()
    }


def _place(file: Path | None, key: KeyPath) -> str:
    return ": ".join(part for part in (str(file or ""), key_path(key)) if part)


def _tightened(settings: Settings, choices: Choices) -> Settings:
    """What the environment chose for all, where it is stricter; over the defaults this is just setting it."""
    projects = {
        key: project.model_copy(
            update={
                "access": _stricter(ACCESS, project.access, choices.access),
                "destructive": _stricter(get_args(Destructive), project.destructive, choices.destructive),
            }
        )
        for key, project in settings.projects.items()
    }
    toolsets = tuple(each for each in settings.toolsets if each in (choices.toolsets or TOOLSETS))
    read_only = settings.read_only or bool(choices.read_only)
    return settings.model_copy(update={"projects": projects, "toolsets": toolsets, "read_only": read_only})


def _stricter(from_strictest: tuple[str, ...], configured: str, chosen: str | None) -> str:
    return min(configured, chosen or configured, key=from_strictest.index)
