"""The page of questions to a second person: what waits, and their say."""

from typing import Any
from urllib.parse import urlencode

from starlette.responses import RedirectResponse, Response

from voucher_mcp.domain.errors import VoucherError
from voucher_mcp.domain.values.money import worth
from voucher_mcp.domain.values.times import to_iso
from voucher_mcp.http.pages.forms import no_form, sent
from voucher_mcp.http.pages.work.desk import Desk
from voucher_mcp.policy.approvals import Pending


async def approvals(desk: Desk) -> Response:
    """What waits in all projects of the person; and approving or refusing one of them."""
    questions, error = desk.dispatcher.writes.approvals, ""
    if desk.request.method == "POST":
        form = await sent(desk.request)
        if form is None or "id" not in form or form.get("say") not in ("approve", "refuse"):
            return no_form()
        approve = form["say"] == "approve"
        try:
            await questions.decide(desk.settings, desk.caller.name, form["id"], approve=approve)
        except VoucherError as refused:
            error = refused.message
        else:
            said = {"done": form["id"], "say": form["say"]}
            return RedirectResponse(f"approvals?{urlencode(said)}", 303)
    try:
        waiting = [_shown(desk, one) for one in await questions.waiting(desk.settings)]
    except VoucherError as broken:
        waiting, error = [], error or broken.message
    query = desk.request.query_params
    done, say = query.get("done", "")[:80], "approved" if query.get("say") == "approve" else "refused"
    return desk.page(
        "approvals.html", 409 if error else 200, waiting=waiting, error=error, done=done, say=say
    )


def _shown(desk: Desk, pending: Pending) -> dict[str, Any]:
    question, project = pending.question, pending.project
    return {
        "id": question.id,
        "project": project.name,
        "text": question.text,
        "tool": question.tool,
        "caller": question.caller,
        "client": question.client,
        "worth": worth(question.amount, question.points, project.currency),
        "codes": question.codes,
        "asked_at": to_iso(question.asked_at),
        "expires_at": to_iso(question.expires_at),
        "own": question.caller == desk.caller.name,
        "may_decide": project.access == "write" and not desk.settings.read_only,
    }
