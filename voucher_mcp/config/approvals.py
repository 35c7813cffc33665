"""What `[approvals]` says: where a second person hears of what they are asked."""

from typing import Annotated, Self

from pydantic import AfterValidator, SecretStr, model_validator

from voucher_mcp.config.base import Model
from voucher_mcp.config.values import Secret, secret_address

WebhookAddress = Annotated[SecretStr, AfterValidator(secret_address)]


class ApprovalSettings(Model):
    """The receiver of questions; nobody else is told of them where there is none."""

    webhook: WebhookAddress | None = None
    """Where each question is posted to. Such addresses often are a secret by themselves."""
    webhook_secret: Secret | None = None
    """Signs what is posted there."""

    @model_validator(mode="after")
    def _is_signed(self) -> Self:
        if (self.webhook is None) != (self.webhook_secret is None):
            raise ValueError("webhook and webhook_secret need each other: what is posted is signed")
        return self
