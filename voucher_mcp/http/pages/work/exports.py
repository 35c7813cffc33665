"""The page of finished exports, to be fetched as files."""

from starlette.responses import Response

from voucher_mcp.http.pages.work.desk import Desk
from voucher_mcp.tools.resources.exports import parts_of


async def exports(desk: Desk) -> Response:
    """The latest exports of all projects that the person may read."""
    found = []
    for one in await desk.dispatcher.exports.resources():
        project_id, export_id = parts_of(str(one.uri))
        link = desk.links.of(desk.caller, desk.request.scope, project_id, export_id)
        found.append(
            {"id": export_id, "project": desk.settings.projects[project_id].name, "url": link["url"]}
        )
    return desk.page("exports.html", exports=found)
