"""What the stand-in holds: organizations, their projects, the projects' pools, the pools' codes."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any

FIRST_ASSIGNED = 1_750_000_000.25
"""Unix seconds; each later code one second more."""


@dataclass
class Code:
    """One row of list_voucher_codes; times are Unix seconds."""

    code: str
    status: str = "available"
    assigned_time: float | None = None
    redeemed_time: float | None = None

    def shown(self) -> dict[str, Any]:
        return {
            "code": self.code,
            "status": self.status,
            "assigned_time": self.assigned_time,
            "redeemed_time": self.redeemed_time,
        }


@dataclass
class Pool:
    """A voucher pool of a project."""

    id: str
    name: str
    project: str
    codes: list[Code]
    used_by: list[Any] = field(default_factory=list)

    def summary(self) -> dict[str, Any]:
        available = sum(code.status == "available" for code in self.codes)
        return {"id": self.id, "name": self.name, "total": len(self.codes), "available": available}

    def full(self) -> dict[str, Any]:
        return {**self.summary(), "company_id": self.project, "used_by": self.used_by}


@dataclass
class Project:
    """A project; its pools by id, its imports and what starts them."""

    id: str
    name: str
    organization: str
    pools: dict[str, Pool] = field(default_factory=dict)


@dataclass
class ApiKey:
    """A private API key of a project, and the imports it may start."""

    project_token: str
    key_id: str
    secret: str
    imports: set[str] = field(default_factory=set)


class Accounts:
    """Filled and looked at by tests directly; ids look like the product's."""

    def __init__(self) -> None:
        self.organizations: dict[str, str] = {}
        self.projects: dict[str, Project] = {}
        self.keys: list[ApiKey] = []
        self._numbers = count(1)

    def add_organization(self, name: str = "Acme") -> str:
        """Answers the organization's id."""
        organization = self._uuid()
        self.organizations[organization] = name
        return organization

    def add_project(self, name: str = "Main", organization: str | None = None) -> str:
        """Answers the project's id; without an organization it goes to the first one, made where needed."""
        if organization is None:
            organization = next(iter(self.organizations), None) or self.add_organization()
        project = Project(self._uuid(), name, organization)
        self.projects[project.id] = project
        return project.id

    def add_pool(
        self,
        project: str,
        name: str,
        total: int = 0,
        *,
        assigned: int = 0,
        redeemed: int = 0,
        codes: Sequence[Code] | None = None,
        used_by: Sequence[Any] = (),
    ) -> str:
        """Answers the pool's id.

        Args:
            total: how many codes to make up; the first ones are redeemed, then come the assigned ones.
            codes: these instead.
        """
        pool = f"{0x66A1B2C3D4E5F60700000000 + next(self._numbers):024x}"
        made = list(codes) if codes is not None else _codes(name, total, assigned, redeemed)
        self.projects[project].pools[pool] = Pool(pool, name, project, made, list(used_by))
        return pool

    def add_key(self, *imports: str, project_token: str = "project-token") -> ApiKey:
        """A key that may start these imports."""
        key = ApiKey(project_token, f"key-{next(self._numbers)}", f"secret-{self._uuid()}", set(imports))
        self.keys.append(key)
        return key

    def pool(self, project: str, pool: str) -> Pool:
        """For tests that look at a pool or change it."""
        return self.projects[project].pools[pool]

    def _uuid(self) -> str:
        return str(uuid.UUID(int=0xC0DE_0000_0000_4000_8000_0000_0000_0000 + next(self._numbers)))


def _codes(pool: str, total: int, assigned: int, redeemed: int) -> list[Code]:
    prefix = "".join(filter(str.isalnum, pool)).upper()[:8]
    codes = []
    for number in range(total):
        code = Code(f"{prefix}-{number:06d}")
        if number < redeemed + assigned:
            code.status, code.assigned_time = "assigned", FIRST_ASSIGNED + number
        if number < redeemed:
            code.status, code.redeemed_time = "redeemed", FIRST_ASSIGNED + 86_400 + number
        codes.append(code)
    return codes
