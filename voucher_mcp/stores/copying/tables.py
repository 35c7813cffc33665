"""What a store is made of, whichever database it is in.

Left out is what each kind of database has its own way for: how codes are counted, and the locks of processes.
"""

from typing import Final, NamedTuple

Cell = int | str | bytes | None
Record = tuple[Cell, ...]
"""A row in the order of its table's columns; truths are 0 and 1."""


class Table(NamedTuple):
    """A table with the columns that it has in each kind of database."""

    name: str
    key: tuple[str, ...]
    """What its rows are told apart by, within a project where it has one, and the order they are read in."""
    others: tuple[str, ...]
    truths: frozenset[str] = frozenset()
    """The columns that only say whether."""
    of_project: bool = True
    at_once: int = 5_000
    """How many of its rows are read, compared and written together."""

    @property
    def columns(self) -> tuple[str, ...]:
        """All of them: the project, the key, the others."""
        return (*(("project",) if self.of_project else ()), *self.key, *self.others)

    def key_of(self, record: Record) -> Record:
        """What a row is told apart by."""
        start = int(self.of_project)
        return record[start : start + len(self.key)]


def _table(name: str, key: str, others: str, truths: str = "", at_once: int = 5_000) -> Table:
    return Table(name, tuple(key.split()), tuple(others.split()), frozenset(truths.split()), at_once=at_once)


PROJECTS: Final = Table("projects", ("n",), ("id", "tag", "created_at"), of_project=False)

TABLES: Final = (
    _table(
        "pools",
        "n",
        "id name template active start_date expiration_date created_at updated_at deleted_at freed",
        "active freed",
    ),
    _table("pool_days", "pool day", "used change"),
    _table("pool_guesses", "day pool", "guesses"),
    _table(
        "vouchers",
        "n",
        "pool code status updated_at created_at start_date expiration_date holder assigned_at redeemed_at "
        "metadata terms active redeemed_quantity opening granted subtracted spent folded former_code",
        "active",
    ),
    _table("customers", "id", "created_at folded"),
    _table("holders", "n", "customer voucher role created_at"),
    _table("holdings", "customer pool", "count"),
    _table(
        "redemptions",
        "n",
        "rollback related parent voucher pool customer amount made_holder rolled_back_by reason tracking_id "
        "body created_at line",
        "rollback made_holder",
    ),
    _table("transactions", "n", "voucher type amount balance total reason source_id redemption created_at"),
    _table("sessions", "key voucher", "amount expires_at created_at customer"),
    _table(
        "jobs",
        "n",
        "id type status parameters caller total cursor done_count failed_count ignored error created_at "
        "updated_at",
    ),
    _table("job_chunks", "job number", "line content", at_once=20),  # each may be a megabyte
    _table("job_failures", "job row", "code reason"),
    _table("job_traces", "job number", "content", at_once=20),
    _table(
        "audit",
        "n",
        "at caller tool digest key outcome subject amount points codes owner client kind ids before after "
        "approved_by pool undo undoes",
    ),
    _table(
        "approvals",
        "id",
        "caller client key tool call shown question amount points codes asked_at expires_at status "
        "decided_by decided_at used_at",
    ),
    _table("audit_subjects", "id line", ""),
    _table("writes", "caller key", "digest result created_at state owner line"),
    _table("minted", "day", "amount points"),
)
"""Those of which each row belongs to a project."""

CLOCK: Final = Table("clock", ("line",), ("at", "elapsed"), of_project=False)
