"""What the actions share: the projects whose questions can be read, and how a question is shown."""

from voucher_mcp.cli.main import DONE, FAILED
from voucher_mcp.cli.reach import unknown_places
from voucher_mcp.config import Settings
from voucher_mcp.domain.approval import ApprovalQuestion
from voucher_mcp.domain.values.money import worth as worth_of
from voucher_mcp.domain.values.times import to_iso
from voucher_mcp.policy.approvals import Pending
from voucher_mcp.stores.opening import schema_of


async def asked_in(settings: Settings, project_id: str | None) -> tuple[Settings, int]:
    """The settings with the projects alone whose database is there; 1 where one's place is not known.

    Looking makes no database: where there is none yet, nothing was asked.
    """
    unknown = unknown_places(settings, project_id, "questions")
    found = {}
    for project in settings.chosen(project_id):
        if project.id not in unknown and await schema_of(settings.journal_of(project.id)):
            found[project.id] = project
    return settings.model_copy(update={"projects": found}), FAILED if unknown else DONE


def worth(pending: Pending) -> str:
    """What the call makes, as a person reads it."""
    question = pending.question
    return worth_of(question.amount, question.points, pending.project.currency)


def time_of(moment: int) -> str:
    """In UTC, to the second."""
    return f"{(to_iso(moment) or '')[:19]}Z"


def who(question: ApprovalQuestion) -> str:
    """Who asks, and with what."""
    return question.caller if question.client is None else f"{question.caller} ({question.client})"
