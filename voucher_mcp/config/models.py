"""The settings as typed, frozen values. Unknown keys are refused."""

from collections.abc import Collection, Mapping
from datetime import UTC, tzinfo
from typing import Annotated, Literal, Self, get_args
from zoneinfo import ZoneInfo

from pydantic import Field, PrivateAttr, field_validator, model_validator

from voucher_mcp.config.approvals import ApprovalSettings
from voucher_mcp.config.base import ACCESS, Access, Model
from voucher_mcp.config.errors import hint, key_path
from voucher_mcp.config.http import HttpSettings
from voucher_mcp.config.substitution import Missing
from voucher_mcp.config.values import (
    Address,
    Currency,
    Database,
    DatabaseUrl,
    DisplayName,
    FolderPath,
    ProjectId,
    Secret,
    Text,
    TimeZone,
    data_file,
)

Toolset = Literal["pools", "vouchers", "redeemables", "redemptions", "jobs"]
Destructive = Literal["block", "approve", "confirm", "allow"]  # from the strictest
TOOLSETS: tuple[Toolset, ...] = get_args(Toolset)
Profile = Literal["support", "marketing", "checkout", "analyst"]

CONFIRM_ABOVE = 100_000

Limit = Annotated[int, Field(ge=0)] | None
AskedAbove = Annotated[int, Field(ge=0)] | Literal["none"] | None
# TOML has lists only; strictness would want tuples
Texts = Annotated[tuple[Text, ...], Field(strict=False)]


class Limits(Model):
    """The most that may happen; None is no limit. Amounts are in minor units."""

    max_amount_per_call: Limit = None
    """The most value that one call makes, in minor units."""
    max_amount_per_day: Limit = None
    """The most value that all calls of a day make, in minor units; days are counted in UTC."""
    max_points_per_day: Limit = None
    """The same for loyalty points."""
    max_codes_per_call: Limit = None
    """The most codes that one call makes or touches."""
    max_calls_per_minute: Limit = None
    """The most calls a minute, reads included."""
    confirm_above: AskedAbove = None
    """Above so many minor units or points a person is asked; 100000 if nothing is set, "none" asks nobody."""
    approve_above: AskedAbove = None
    """Above so much a second person is asked instead; nobody is if nothing or "none" is set."""

    @property
    def asked_above(self) -> int | None:
        """The same, None where nobody is asked."""
        if self.confirm_above == "none":
            return None
        return CONFIRM_ABOVE if self.confirm_above is None else self.confirm_above

    @property
    def approved_above(self) -> int | None:
        """`approve_above`, None where no second person is asked."""
        return None if self.approve_above == "none" else self.approve_above


class _Project(Model):
    id: str
    name: DisplayName
    """What people and agents read."""
    destructive: Destructive = "confirm"
    """Before a deletion: refuse it, ask a second person, ask the user, or ask nobody."""
    timezone: TimeZone = "UTC"
    """Whose days a date without a time means, and whose clock the hours of a voucher follow."""
    currency: Currency = "EUR"
    """How amounts are shown to people."""
    export_dir: FolderPath | None = None
    """Where get_export puts finished exports as files; nowhere if not set."""
    limits: Limits = Limits()
    """Its own limits; each that is not set here is the one for all projects."""

    @property
    def zone(self) -> tzinfo:
        """The time zone of `timezone`."""
        return UTC if self.timezone == "UTC" else ZoneInfo(self.timezone)


class _VendorProject(_Project):
    access: Access = "read"
    """Whether agents may write."""
    timeout: Annotated[float, Field(gt=0, le=45)] = 30.0
    """Seconds to wait for an answer; a whole call has 50."""


class LocalProject(_Project):
    """The embedded engine."""

    backend: Literal["local"]
    """Which system it is."""
    url: DatabaseUrl = Field(default_factory=lambda: Database(path=data_file("vouchers.db")))
    """Where its database is; `vouchers.db` in the data directory if not set."""
    access: Access = "write"
    """Whether agents may write."""
    import_dir: FolderPath | None = None
    """The only folder that import_vouchers_using_csv reads; it takes no `path` if not set."""


class VoucherifyProject(_VendorProject):
    backend: Literal["voucherify"]
    """Which system it is."""
    base_url: Address = "https://api.voucherify.io"
    """The cluster of the account."""
    app_id: Text | None
    """The id of its API key."""
    app_token: Secret | None
    """The secret of its API key."""
    oauth_token: Secret | None = None
    """Instead of app_id and app_token; the vendor's OAuth tokens live 15 minutes."""

    @model_validator(mode="before")
    @classmethod
    def _signs_in_one_way(cls, table: object) -> object:
        keys = ("app_id", "app_token")
        if not isinstance(table, dict) or table.get("oauth_token") is None:
            return table  # where a key that is missing is named
        if any(table.get(key) is not None for key in keys):
            raise ValueError(
                "oauth_token stands instead of app_id and app_token; give only the one or the other"
            )
        return {**dict.fromkeys(keys), **table}


class MewsProject(_VendorProject):
    backend: Literal["mews"]
    """Which system it is."""
    base_url: Address = "https://api.mews.com"
    """The address of its API; the demo environment has another."""
    client_token: Secret
    """Names the program at Mews."""
    access_token: Secret
    """Names the enterprise, or the portfolio, that it may work for."""
    service_ids: Texts = ()
    """The services whose vouchers are its pools; all that the token shows if not set."""
    enterprise_id: Text | None = None
    """One enterprise of a portfolio token; all of them if not set."""


class BloomreachProject(_VendorProject):
    backend: Literal["bloomreach"]
    """Which system it is."""
    url: Address
    """The vendor's MCP server of the account's region; with a slash at its end it redirects."""
    upstream_project_id: Text | None = None
    """The project at Bloomreach; the only one that the account can see if not set."""
    token: Secret | None = None
    """A bearer token; the stored sign-in of `voucher-mcp login` if not set."""
    api_base: Address | None = None
    """The HTTP API, for start_voucher_import; these four belong together."""
    project_token: Text | None = None
    """The project's token there."""
    api_key_id: Text | None = None
    """The id of a private API key."""
    api_secret: Secret | None = None
    """The secret of that key."""

    @property
    def can_import(self) -> bool:
        """Whether start_voucher_import can work: its API key is configured."""
        return self.api_secret is not None

    @model_validator(mode="after")
    def _api_key_is_whole(self) -> Self:
        names = ("api_base", "project_token", "api_key_id", "api_secret")
        missing = [name for name in names if getattr(self, name) is None]
        if missing and len(missing) < len(names):
            needed = f"start_voucher_import needs all of {', '.join(names)}"
            raise ValueError(f"{', '.join(missing)} missing; {needed}")
        return self


Project = Annotated[
    LocalProject | VoucherifyProject | MewsProject | BloomreachProject, Field(discriminator="backend")
]
PROJECT_MODELS: Mapping[str, type[_Project]] = {
    "local": LocalProject,
    "voucherify": VoucherifyProject,
    "mews": MewsProject,
    "bloomreach": BloomreachProject,
}


class Settings(Model):
    """Everything that is configured. Built by `load_settings`; relative paths need the context `folder`."""

    read_only: bool = False
    """Whether nothing is written in any project, whatever they say."""
    toolsets: Annotated[tuple[Toolset, ...], Field(strict=False)] = TOOLSETS
    """Which sets of tools agents see; projects and changes are always there."""
    profile: Profile | None = None
    """The tools of one job, in place of toolsets; profiles.md names them."""
    resource_links: bool = False
    """Whether get_export answers with a resource_link too, on which many clients break."""
    state: DatabaseUrl | None = None
    """Where the journal of writes on vendors is. If not set: the database of the local project `default`, or
    else `state.db` in the data directory. Servers that share it share keys and limits."""
    audit_days: Annotated[int, Field(ge=30)] = 365
    """How many days the journal is kept: as long as keys at least, so that a change can be undone."""
    projects: Annotated[dict[ProjectId, Project], Field(min_length=1)]
    """The accounts, each in a table of its own that is named by its id."""
    limits: Limits = Limits()
    """The limits for all projects."""
    approvals: ApprovalSettings = ApprovalSettings()
    """Where a second person hears of questions."""
    http: HttpSettings | None = None
    """Who may use `serve --transport http`."""
    _lacking: Mapping[str, Missing] = PrivateAttr(default_factory=dict)
    _granted: bool = PrivateAttr(default=False)

    def lacking(self, missing: Mapping[str, Missing]) -> Self:
        """The same, where values of these projects, by their ids, are missing."""
        copy = self.model_copy()
        copy._lacking = missing
        return copy

    def granted(self, access: Mapping[str, Access]) -> Self:
        """What one caller may use: these projects of ours, none with more access than it is given here."""
        projects = {
            key: project.model_copy(update={"access": min(project.access, access[key], key=ACCESS.index)})
            for key, project in self.projects.items()
            if key in access
        }
        copy = self.model_copy(update={"projects": projects})
        copy._granted = True
        return copy

    @property
    def is_granted(self) -> bool:
        """Whether these are a caller's, and what it may do may be less than a project allows."""
        return self._granted

    def unusable(self, project_id: str) -> Missing | None:
        """Which values the project cannot be used without; None where none is missing."""
        return self._lacking.get(project_id)

    @property
    def journal(self) -> Database:
        """Where the journal of vendor writes is: `state`, else the default local project's own
        database, else `state.db` in the data directory. Nothing is opened or created. It is nowhere (path and
        dsn None) where that is the place of a database whose address is missing."""
        if self.state is not None:
            return self.state
        default = self.projects.get("default")
        if isinstance(default, LocalProject):
            return default.url
        return Database(path=data_file("state.db"))

    def journal_of(self, project_id: str) -> Database:
        """Where the journal of a project is: its own database where it has one, else that of vendor writes.
        KeyError: no such project."""
        project = self.projects[project_id]
        return project.url if isinstance(project, LocalProject) else self.journal

    def chosen(self, project_id: str | None) -> Collection[Project]:
        """The project of that id alone, or all where none is named. KeyError: no such project."""
        return self.projects.values() if project_id is None else [self.projects[project_id]]

    def limits_for(self, project_id: str) -> Limits:
        """The limits of one project: each of its own, else the one for all. KeyError: no such project."""
        own = self.projects[project_id].limits
        return self.limits.model_copy(update=own.model_dump(exclude_none=True))

    @field_validator("toolsets", mode="after")
    @classmethod
    def _each_once(cls, toolsets: tuple[Toolset, ...]) -> tuple[Toolset, ...]:
        return tuple(dict.fromkeys(toolsets))

    @model_validator(mode="after")
    def _offers_by_one_of_them(self) -> Self:
        if self.profile is not None and "toolsets" in self.model_fields_set:
            raise ValueError("profile stands instead of toolsets; give only the one or the other")
        return self

    @field_validator("projects", mode="before")
    @classmethod
    def _name_after_their_keys(cls, tables: object) -> object:
        if not isinstance(tables, dict):
            return tables
        return {
            key: {"id": key, "name": key, **table} if isinstance(table, dict) else table
            for key, table in tables.items()
        }

    @field_validator("projects", mode="after")
    @classmethod
    def _ids_are_their_keys(cls, projects: dict[str, Project]) -> dict[str, Project]:
        for key, project in projects.items():
            if project.id != key:
                raise ValueError(f"the id of {key!r} is the table's name; leave `id` out")
        return projects

    @model_validator(mode="after")
    def _grants_are_of_known_projects(self) -> Self:
        for table, grant in self.http.grants if self.http else ():
            for project in grant.projects:
                if project not in self.projects:
                    place = key_path((*table, "projects"))
                    raise ValueError(f"{place}: no project {project!r}{hint(project, self.projects)}")
        return self
