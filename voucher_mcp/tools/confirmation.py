"""Asking the person behind the client before something irreversible happens.

Asking is a courtesy of the client, which could forge an answer; what decides is the operator's `destructive`
setting. An agreement is bound to the digest of the very result that was shown. Clients of the handshake era
are asked by a request of ours; later ones are answered with a question, and call again with the answer.
"""

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

QUESTION = "confirmation"
WRITE_SECONDS = 10.0
"""What is left of a call's time for the write itself; the rest of it a person may think."""

FIRST_MODERN = "2026-07-28"

_FORM = {
    "type": "object",
    "properties": {
        "confirm": {"type": "boolean", "title": "Yes, do it", "description": "This cannot be undone"}
    },
    "required": ["confirm"],
}


class Ask(Exception):
    """The client has to put a question to its user and call again; carries the protocol's result."""

    def __init__(self, result: InputRequiredResult) -> None:
        super().__init__("ask")
        self.result = result


async def agree(
    context: ServerRequestContext[Any, Any],
    params: CallToolRequestParams,
    question: str,
    digest: str,
    project_id: str,
) -> None:
    """Return once the person agreed to the result of that digest.

    Raises:
        ConfirmationRequired: the client cannot ask, or nobody answered: a client without a person cancels.
        Declined: the person said no.
        Ask: the client has to ask first.
    """
    capabilities = context.session.client_capabilities
    elicitation = capabilities.elicitation if capabilities else None
    if elicitation is None or (elicitation.form is None and elicitation.url is not None):
        raise _required("this client cannot ask for it", project_id)
    form = ElicitRequestFormParams(message=question, requested_schema=_FORM)
    if context.protocol_version >= FIRST_MODERN:
        answer = (params.input_responses or {}).get(QUESTION)
        if not isinstance(answer, ElicitResult) or params.request_state != digest:
            raise Ask(
                InputRequiredResult(
                    input_requests={QUESTION: ElicitRequest(params=form)}, request_state=digest
                )
            )
    else:
        answer = await _ask_now(context, form)
    confirmed = (answer.content or {}).get("confirm")
    if answer.action == "decline" or (answer.action == "accept" and confirmed is False):
        raise Declined(
            "The user did not agree. Nothing was changed; do not try again unless the user asks for it."
        )
    if answer.action != "accept" or confirmed is not True:
        raise _required("the question came back without an answer", project_id)


def _required(why: str, project_id: str) -> ConfirmationRequired:
    return ConfirmationRequired(
        f"This cannot be undone and needs a person's consent, but {why}. Nothing was changed. Call again "
        'when the user is there, or the operator can set destructive = "allow" under '
        f"[projects.{project_id}] in the configuration, or VOUCHER_MCP_DESTRUCTIVE=allow where there is no "
        "file."
    )


async def _ask_now(context: ServerRequestContext[Any, Any], form: ElicitRequestFormParams) -> ElicitResult:
    try:
        left = anyio.current_effective_deadline() - anyio.current_time()
        with anyio.fail_after(max(0, left - WRITE_SECONDS)):
            return await context.session.elicit_form(form.message, form.requested_schema, context.request_id)
    except (TimeoutError, MCPError, ValidationError) as error:
        raise ConfirmationRequired(
            "The user was asked whether to do this, which cannot be undone, but no answer came that can be "
            "read. Nothing was changed. Call again when the user is there."
        ) from error
