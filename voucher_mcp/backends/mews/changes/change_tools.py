"""Changes on Mews: taking them back."""

from voucher_mcp.backends import undoing
from voucher_mcp.backends.base import Object
from voucher_mcp.backends.mews.client.account import Account
from voucher_mcp.domain.answer import Answer
from voucher_mcp.domain.change import Change
from voucher_mcp.domain.write import Write


class ChangeTools(Account):
    """Writes that were made."""

    async def undo_change(self, write: Write, change: Change) -> Answer[Object]:
        return await undoing.take_back(self, write, change)

    def why_no_undo(self, change: Change) -> str | None:
        return undoing.why_not(self, change)
