"""The exceptions of Surehook, and the one place where a native error becomes one of them.

SurehookError
├── ConfigurationError          a secret or an option cannot be used; also a ValueError
├── WebhookVerificationError    a webhook was not signed by its provider, or cannot be checked
└── BodyNotJsonError            its signature is right, but it holds no JSON; also a json.JSONDecodeError
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Literal

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
    "secret_missing",
    "secret_unknown",
    "verifier_error",
]

#: The cause that a diagnosis names; the same list in every language (`tests/contract/codes.json`).
Finding = Literal[
    "secret_of_another_endpoint",
    "secret_not_decoded",
    "secret_double_encoded",
    "secret_whitespace_or_quotes",
    "body_reserialized",
    "body_newline_changed",
    "body_trailing_newline",
    "body_bom",
    "body_base64",
    "body_gzipped",
    "body_form_wrapped",
    "body_decoded_lossily",
    "body_truncated",
    "body_empty_was_consumed",
    "timestamp_units",
    "clock_skew",
    "header_rewritten",
    "test_live_mix",
    "not_a_webhook_secret",
]

#: How sure a diagnosis is: an experiment verified, or only the shape of what came in speaks for it.
Certainty = Literal["proved", "likely"]

__all__ = [
    "BodyNotJsonError",
    "Certainty",
    "ConfigurationError",
    "Diagnosis",
    "Finding",
    "ReasonCode",
    "SurehookError",
    "WebhookVerificationError",
]


@dataclass(frozen=True)
class Diagnosis:
    """Why a request was refused, and what mends it. It holds no secret, no signature and no body."""

    finding: Finding
    #: ``proved``: with the one thing changed, the signature was right. ``likely``: it looks like this.
    certainty: Certainty
    #: What shows it, in one sentence.
    evidence: str
    #: What mends it, in one sentence.
    fix: str


class SurehookError(Exception):
    """Anything that Surehook raises. ``code`` is stable, the text is for people."""

    def __init__(self, message: str, *, code: str) -> None:
        super().__init__(message)
        self.code = code


class ConfigurationError(SurehookError, ValueError):
    """A secret or an option cannot be used. A wrapper raises it for options, when it is built.

    ``finding`` says what a secret that cannot be used is, where its shape tells.
    """

    def __init__(self, message: str, *, code: str, finding: Finding | None = None) -> None:
        super().__init__(message, code=code)
        self.finding = finding


class BodyNotJsonError(SurehookError, json.JSONDecodeError):
    """The signature of a webhook is right, but its body is no JSON."""

    def __init__(self, error: json.JSONDecodeError) -> None:
        json.JSONDecodeError.__init__(self, error.msg, error.doc, error.pos)
        self.code = "body_not_json"


class WebhookVerificationError(SurehookError):
    """The webhook is not what it says it is. Never tell its sender why: answer 401.

    ``diagnosis`` is the cause, where one was found; ``docs`` the page that explains it, or else the code.
    """

    def __init__(
        self,
        message: str = "",
        *,
        code: str = "verifier_error",
        diagnosis: Diagnosis | None = None,
        docs: str | None = None,
    ) -> None:
        super().__init__(message, code=code)
        self.diagnosis = diagnosis
        self.docs = docs


def from_native(error: _native.NativeError | UnicodeEncodeError) -> SurehookError:
    """The public exception for an error that crossed the border as (code, message, details)."""
    if isinstance(error, UnicodeEncodeError):  # lone surrogates: there is no such text outside of Python
        return ConfigurationError("an option holds text that is no valid text", code="invalid_option")
    code, message, details = error.args
    if details["kind"] == "verification":
        found = diagnosis(details["diagnosis"])
        return WebhookVerificationError(message, code=code, diagnosis=found, docs=details["docs"])
    return ConfigurationError(message, code=code, finding=details["finding"])


def loaded(body: bytes) -> Any:
    """The JSON value of a body, as ``json.loads`` reads it."""
    try:
        return json.loads(body.decode())
    except json.JSONDecodeError as error:
        raise BodyNotJsonError(error) from None
    except UnicodeDecodeError:
        raise BodyNotJsonError(json.JSONDecodeError("It is no text in UTF-8", "", 0)) from None
    except RecursionError:
        raise BodyNotJsonError(json.JSONDecodeError("It is nested too deep", "", 0)) from None


def diagnosis(parts: tuple[Any, ...] | None) -> Diagnosis | None:
    """The public form of (finding, certainty, evidence, fix)."""
    return None if parts is None else Diagnosis(*parts)
