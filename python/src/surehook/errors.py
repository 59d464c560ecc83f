"""The exceptions of Surehook, and the one place where a native error becomes one of them.

SurehookError
├── ConfigurationError          a secret or an option cannot be used; also a ValueError
└── WebhookVerificationError    a webhook was not signed by its provider, or cannot be checked
"""

from __future__ import annotations

from typing import Literal

from surehook import _native

#: Every reason why a webhook is refused; the same list in every language (`tests/contract/codes.json`).
ReasonCode = Literal[
    "missing_header",
    "duplicate_header",
    "mixed_header_family",
    "malformed_message_id",
    "malformed_timestamp",
    "timestamp_too_old",
    "timestamp_too_new",
    "malformed_signature",
    "too_many_signatures",
    "no_supported_version",
    "signature_mismatch",
    "body_unavailable",
    "body_too_large",
    "replayed",
    "secret_invalid",
    "verifier_error",
]

__all__ = ["ConfigurationError", "ReasonCode", "SurehookError", "WebhookVerificationError"]


class SurehookError(Exception):
    """Anything that Surehook raises. ``code`` is stable, the text is for people."""

    def __init__(self, message: str, *, code: str) -> None:
        super().__init__(message)
        self.code = code


class ConfigurationError(SurehookError, ValueError):
    """A secret or an option cannot be used. Raised when the wrapper is built, never later."""


class WebhookVerificationError(SurehookError):
    """The webhook is not what it says it is. Never tell its sender why: answer 401."""

    def __init__(
        self, message: str, *, code: str, diagnosis: str | None = None, docs: str | None = None
    ) -> None:
        super().__init__(message, code=code)
        self.diagnosis = diagnosis
        self.docs = docs


def from_native(error: _native.NativeError) -> SurehookError:
    """The public exception for an error that crossed the border as (code, message, details)."""
    code, message, details = error.args
    if details["kind"] == "verification":
        return WebhookVerificationError(message, code=code, docs=details["docs"])
    return ConfigurationError(message, code=code)
