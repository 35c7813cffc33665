"""The pages of changes: what was written, and taking it back after a look at what that does."""

from typing import Any
from urllib.parse import urlencode

from starlette.responses import RedirectResponse, Response

from voucher_mcp.http.pages.forms import no_form, sent
from voucher_mcp.http.pages.work.desk import Desk, Question


async def changes(desk: Desk) -> Response:
    """The changes of the project that is looked at, newest first."""
    query = desk.request.query_params
    listed = await desk.look("list_changes", limit=20, starting_after_id=query.get("after"))
    after = listed.get("more_starting_after")
    return desk.page(
        "changes.html",
        changes=[{**one, "was": _fields(one)} for one in listed["data"]],
        error=listed["error"],
        after=after,
        done=query.get("done", "")[:80],
    )


async def undo(desk: Desk) -> Response:
    """What taking one back would do; and doing it, when the person says so."""
    if desk.request.method != "POST":
        change_id = desk.request.query_params.get("change", "")
        plan = await desk.look("undo_change", change_id=change_id, dry_run=True)
        return desk.page(
            "undo.html", change_id=change_id, plan=plan["data"], error=plan["error"], question=None
        )
    form = await sent(desk.request)
    if form is None or "change" not in form or form.get("project") not in desk.settings.projects:
        return no_form()
    project_id, change_id = form["project"], form["change"]
    # one change is taken back once: who sends the form twice gets the first answer again
    given = {"project_id": project_id, "change_id": change_id, "idempotency_key": f"page-{change_id}"}
    answer = await desk.call("undo_change", given, form.get("agreed"))
    if isinstance(answer, Question):
        return desk.page("undo.html", change_id=change_id, plan=None, error=None, question=answer)
    if not answer["success"]:
        return desk.page(
            "undo.html", 409, change_id=change_id, plan=None, error=answer["error"], question=None
        )
    return RedirectResponse(f"../changes?{urlencode({'project': project_id, 'done': change_id})}", 303)


def _fields(change: dict[str, Any]) -> list[tuple[str, Any, Any]]:
    """What it changed: each field as it was, and as it is."""
    before, after = change.get("before") or {}, change.get("after") or {}
    return [(name, before.get(name), after.get(name)) for name in {**before, **after}]
