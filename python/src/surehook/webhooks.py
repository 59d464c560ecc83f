"""The names of ``svix.webhooks`` and ``standardwebhooks.webhooks``, for those who import them from there."""

import hashlib
import hmac

from surehook._webhook import Webhook
from surehook.errors import ConfigurationError, WebhookVerificationError

__all__ = ["EmptyWebhookSecretError", "Webhook", "WebhookVerificationError", "hmac_data"]

#: An empty secret is one of several that cannot be used.
EmptyWebhookSecretError = ConfigurationError


def hmac_data(key: bytes, data: bytes) -> bytes:
    """The HMAC-SHA-256 of ``data``."""
    return hmac.digest(key, data, hashlib.sha256)
