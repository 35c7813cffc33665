"""Asking the person behind the client before something irreversible happens, or much value is made.

Asking is a courtesy of the client, which could forge an answer; what decides is the operator's
`destructive` and `confirm_above`. An agreement is bound to the digest of what was shown. Clients of the
handshake era are asked by a request of ours; later ones are answered with a question, and call again with
the answer.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import anyio
from mcp.server import ServerRequestContext
from mcp.shared.exceptions import MCPError
from mcp.types import (
    CallToolRequestParams,
    ElicitRequest,
    ElicitRequestFormParams,
    ElicitResult,
    InputRequiredResult,
)
from pydantic import ValidationError

from voucher_mcp.domain.errors import ConfirmationRequired, Declined
from voucher_mcp.policy.consent import Question

QUESTION = "confirmation"
WRITE_SECONDS = 10.0
"""What is left of a call's time for the write itself; the rest of it a person may think."""

FIRST_MODERN = "2026-07-28"


_ending: ContextVar[anyio.Event | None] = ContextVar("ending", default=None)


@contextmanager
def asking_until(ending: anyio.Event) -> Iterator[None]:
    """Nobody is waited for, of those who are asked meanwhile, once the server is about to end."""
    token = _ending.set(ending)
    try:
        yield
    finally:
        _ending.reset(token)


class Ask(Exception):
    """The client has to put a question to its user and call again; carries the protocol's result."""

    def __init__(self, result: InputRequiredResult) -> None:
        super().__init__("ask")
        self.result = result


async def agree(
    context: ServerRequestContext[Any, Any], params: CallToolRequestParams, question: Question, digest: str
) -> None:
    """Return once the person agreed to what the digest is of.

    Raises:
        ConfirmationRequired: the client cannot ask, or nobody answered: a client without a person cancels.
        Declined: the person said no.
        Ask: the client has to ask first.
    """
    capabilities = context.session.client_capabilities
    elicitation = capabilities.elicitation if capabilities else None
    if elicitation is None or (elicitation.form is None and elicitation.url is not None):
        raise _required("this client cannot ask for it", question)
    if context.protocol_version >= FIRST_MODERN:
        answer = (params.input_responses or {}).get(QUESTION)
        if not isinstance(answer, ElicitResult) or params.request_state != digest:
            asked: dict[str, Any] = {QUESTION: ElicitRequest(params=_form(question))}
            raise Ask(InputRequiredResult(input_requests=asked, request_state=digest))
    else:
        answer = await _ask_now(context, question)
    confirmed = (answer.content or {}).get("confirm")
    if answer.action == "decline" or (answer.action == "accept" and confirmed is False):
        raise Declined("The user did not agree. Do not try again unless the user asks for it.")
    if answer.action != "accept" or confirmed is not True:
        raise _required("the question came back without an answer", question)


def _form(question: Question) -> ElicitRequestFormParams:
    """The question as the protocol puts it."""
    confirm = {"type": "boolean", "title": "Yes, do it", "description": question.reason}
    return ElicitRequestFormParams(
        message=f"{question.text} {question.reason}.",
        requested_schema={"type": "object", "properties": {"confirm": confirm}, "required": ["confirm"]},
    )


def _required(why: str, question: Question) -> ConfirmationRequired:
    return ConfirmationRequired(
        f"{question.reason} and needs a person's consent, but {why}. Call again when the user is there, or "
        f"the operator can set {question.setting}."
    )


async def _ask_now(context: ServerRequestContext[Any, Any], question: Question) -> ElicitResult:
    form, ending = _form(question), _ending.get()
    answer: ElicitResult | None = None
    failure: Exception | None = None
    left = anyio.current_effective_deadline() - anyio.current_time()
    async with anyio.create_task_group() as tasks:
        if ending is not None:
            tasks.start_soon(_stop_at, ending, tasks.cancel_scope)
        try:
            with anyio.fail_after(max(0, left - WRITE_SECONDS)):
                answer = await context.session.elicit_form(
                    form.message, form.requested_schema, context.request_id
                )
        except (TimeoutError, MCPError, ValidationError) as error:
            failure = error
        tasks.cancel_scope.cancel()
    if answer is not None:
        return answer
    if failure is None:
        why, then = "the server is about to end", "in a minute"
    else:
        why, then = "no answer came that can be read", "when the user is there"
    raise ConfirmationRequired(
        f"{question.reason}, so the user was asked, but {why}. Call again {then}."
    ) from failure


async def _stop_at(ending: anyio.Event, scope: anyio.CancelScope) -> None:
    await ending.wait()
    scope.cancel()
