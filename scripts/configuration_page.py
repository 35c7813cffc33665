"""Every key of the configuration, as docs/configuration.md: made from the settings themselves.

Run it as `python -m scripts.configuration_page` after a key was added or changed.
"""

import ast
import inspect
from collections.abc import Collection, Iterator, Mapping
from itertools import pairwise
from pathlib import Path
from textwrap import dedent
from typing import Annotated, Any, Literal, get_args, get_origin, get_type_hints

from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo

from voucher_mcp.config import approvals, environment, http, models, values

FILE = Path(__file__).parents[1] / "docs" / "configuration.md"

_KINDS: Mapping[Any, str] = {
    bool: "`true`, `false`",
    models.Limit: "a whole number, 0 or more",
    models.AskedAbove: 'a whole number, 0 or more, or `"none"`',
    models.Texts: "a list, each a text",
    approvals.WebhookAddress: "an address, https",
    values.DatabaseUrl: "an address, `sqlite:///…` or `postgresql://…`",
    values.FolderPath: "a folder",
    values.Address: "an address, https",
    values.Issuer: "an address, https",
    values.Text: "a text",
    values.Secret: "a secret",
    values.DisplayName: "a text",
    values.TimeZone: "a time zone such as `Europe/Berlin`",
    values.Currency: "a currency of ISO 4217",
    values.Sha256: "64 hexadecimal digits",
    values.HostName: "a name of a host",
    SecretStr: "a secret",
    int: "a whole number",
    float: "a number",
    str: "a text",
}
_SYSTEMS = ", ".join(f"`{one}`" for one in models.PROJECT_MODELS)
_SAID_OTHERWISE: Mapping[tuple[type[BaseModel], str], tuple[str, str]] = {
    (models.LocalProject, "backend"): (
        _SYSTEMS,
        "**required**",
    ),
    (models.LocalProject, "access"): ("`read`, `write`", "`write`; `read` at vendors"),
    (models._Project, "name"): ("a text", "the ID"),
    (models.VoucherifyProject, "app_id"): ("a text", "**required**, or `oauth_token`"),
    (models.VoucherifyProject, "app_token"): ("a secret", "**required**, or `oauth_token`"),
}
"""Where types and defaults do not say it: value and default, by table and key."""
_BOUNDS = {"ge": "at least", "gt": "above", "le": "at most"}

_VARIABLES: Mapping[str, str] = {
    "VOUCHER_MCP_CONFIG": "the file",
    environment.DATABASE_URL: "the address of the project `default`",
    "VOUCHER_MCP_ACCESS": "`access` of all projects",
    "VOUCHER_MCP_DESTRUCTIVE": "`destructive` of all projects",
    "VOUCHER_MCP_READ_ONLY": "`read_only`",
    "VOUCHER_MCP_TOOLSETS": "`toolsets`, with commas between them",
    "VOUCHER_MCP_CURRENCY": "`currency` of the projects that these variables make",
    "VOUCHER_MCP_TIMEZONE": "`timezone` of the same",
    "VOUCHER_MCP_FOLDER": "`import_dir` and `export_dir` of the same",
    "VOUCHER_MCP_LOG_LEVEL": "as `--log-level`: `error`, `warning`, `info` or `debug`",
    "VOUCHER_MCP_LOG_FILE": "as `--log-file`: where the log is written; standard error if not set",
    "VOUCHER_MCP_LOG_FORMAT": "as `--log-format`: `text` or `json`",
}

_HEAD = """# The configuration

Made by `python -m scripts.configuration_page` from the settings themselves.

Nothing has to be configured. Without a file there is one project, `default`, in your data directory.
`voucher-mcp init` asks what there is, tries it, and writes a first file. Its flags answer beforehand.
`voucher-mcp check` shows which file is read and tries each project.

```sh
voucher-mcp init --system local --currency EUR --timezone Europe/Berlin --output vouchers.toml --yes
voucher-mcp check --config vouchers.toml
```

The file is TOML. It is named by `--config FILE`, else by `VOUCHER_MCP_CONFIG`.
Else it is `config.toml` in your configuration directory.
A relative path in it starts at its own folder, and `~` is your home directory.
An unknown key or value stops the start. The message names the nearest one that is known.

```toml
read_only = false

[projects.shop]
name = "Shop EU"
backend = "voucherify"
app_id = "${VOUCHERIFY_APP_ID}"
app_token = "${VOUCHERIFY_APP_TOKEN}"
access = "write"
currency = "EUR"

[limits]
max_amount_per_call = 50000             # 500.00 EUR
confirm_above = 100000                  # 1,000.00 EUR
```

**Secrets.** `${NAME}` takes a value from the environment. `${file:PATH}` takes it from a file, such as a
mounted secret. A plain `${` is written `$${`. A secret that is missing takes away its project alone.
`list_projects` and `check` say why.

**Amounts** are in the smallest unit of the project's currency: 50000 is 500.00 EUR, or 50000 JPY.
"""
_COLUMNS = "| key | value | default | what it means |\n|---|---|---|---|\n"
_ENVIRONMENT = """## Environment variables

| variable | what it sets |
|---|---|
"""
_FOOT = """
A vendor's own variables make a project that is named after its system. It takes the place of `default`,
unless `VOUCHER_MCP_DATABASE_URL` is set too. Where a file names projects, these variables make none.
They count only where the file says `${NAME}`.
Beside a file, `VOUCHER_MCP_ACCESS` and its like only make it stricter.

An unknown variable that begins with `VOUCHER_MCP_` stops the start too. An empty one counts as not set.
"""


def page() -> str:
    """The whole page."""
    own = [name for name in models._Project.model_fields if name not in ("id", "limits")]
    parts = [_HEAD, _table("At the top of the file", models.Settings)]
    said = {*own, "id", "limits", "backend", "access"}
    every = [*(_row(name, models.LocalProject) for name in ("backend", "access"))]
    every += [_row(name, models._Project) for name in own]
    parts.append(f"## Every project: `[projects.ID]`\n\n{_COLUMNS}" + "\n".join(every) + "\n")
    for system, model in models.PROJECT_MODELS.items():
        rest = [name for name in model.model_fields if name not in said]
        rest.sort(key=lambda name: name in models._VendorProject.model_fields)
        parts.append(_table(f'`backend = "{system}"`', model, rest))
    parts += [
        _table("`[limits]`, and `[projects.ID.limits]`", models.Limits),
        _table("`[approvals]`", approvals.ApprovalSettings),
        _table("`[http]`, for `serve --transport http`", http.HttpSettings),
        _table('`[http.access.subject."NAME"]` and `[http.access.group."NAME"]`', http.Grant),
        _table("`[http.tokens.NAME]`", http.HttpToken),
        _ENVIRONMENT + "\n".join(_variables()) + "\n" + _FOOT,
    ]
    return "\n".join(parts)


def _variables() -> Iterator[str]:
    for name in environment.OURS:
        yield f"| `{name}` | {_VARIABLES[name]} |"
    for name, (project, key) in environment.VENDORS.items():
        yield f"| `{name}` | `{key}` of the project `{project}` |"


def _table(title: str, model: type[BaseModel], names: Collection[str] = ()) -> str:
    """Its keys, without those that are tables of their own."""
    rows = "\n".join(_row(name, model) for name in names or model.model_fields if not _is_table(name, model))
    return f"## {title}\n\n{_COLUMNS}{rows}\n"


def _is_table(name: str, model: type[BaseModel]) -> bool:
    kind = get_type_hints(model)[name]
    parts = [kind, *get_args(kind)]
    return any(get_origin(part) is dict for part in parts) or any(
        isinstance(part, type) and issubclass(part, BaseModel) for part in parts
    )


def _row(name: str, model: type[BaseModel]) -> str:
    kind = get_type_hints(model, include_extras=True)[name]
    value, default = _SAID_OTHERWISE.get((model, name)) or (_kind(kind), _default(model.model_fields[name]))
    return f"| `{name}` | {value} | {default} | {_meaning(name, model)} |"


def _kind(kind: Any) -> str:
    if kind in _KINDS:
        return _KINDS[kind]
    parts = [part for part in get_args(kind) if part is not type(None)]
    if get_origin(kind) is Literal:
        return ", ".join(f"`{one}`" for one in parts)
    if get_origin(kind) is tuple:
        return f"a list, each {_kind(parts[0])}"
    if get_origin(kind) is Annotated:
        bounds = [
            f"{said} {bound:g}"
            for part in getattr(parts[1], "metadata", ())
            for name, said in _BOUNDS.items()
            if (bound := getattr(part, name, None)) is not None
        ]
        return ", ".join([_kind(parts[0]), *bounds])
    return _kind(parts[0])


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "**required**"
    if field.default_factory is not None or field.default is None or field.default == ():
        return ""
    default = field.default
    if isinstance(default, tuple):
        return "all"
    return f"`{str(default).lower() if isinstance(default, bool) else default}`"


def _meaning(name: str, model: type[BaseModel]) -> str:
    """What stands below the key in the source of the model, or of the one that it comes from."""
    for owner in model.__mro__:
        if name in vars(owner).get("__annotations__", {}):
            [table] = ast.parse(dedent(inspect.getsource(owner))).body
            assert isinstance(table, ast.ClassDef)
            return _said_below(name, table.body)
    return ""


def _said_below(name: str, lines: list[ast.stmt]) -> str:
    for line, below in pairwise(lines):
        match line, below:
            case (
                ast.AnnAssign(target=ast.Name(id=key)),
                ast.Expr(value=ast.Constant(value=str(said))),
            ) if key == name:
                return " ".join(said.split())
    return ""


if __name__ == "__main__":
    FILE.write_text(page(), encoding="utf-8", newline="\n")
