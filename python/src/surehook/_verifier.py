"""A user's own signature verifier: how it is called, and which of its answers count."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Awaitable, Callable
from typing import Any, TypedDict

from surehook._delivery import Headers


class VerifiedMessage(TypedDict, total=False):
    """What a verifier accepts, and what it knows of it."""

    #: What names the message over its retries.
    id: str | None
    #: Who sent it, where several senders come to one endpoint: their messages are told apart by it.
    sender: str | None


Said = bool | str | VerifiedMessage
#: ``(request, body, headers)`` to True, the message's id or a VerifiedMessage (accepted), or False (refused).
#: It may be async.
SignatureVerifier = Callable[[Any, bytes, dict[str, str]], "Said | Awaitable[Said]"]
#: What the native module takes: None means that the verifier itself failed, which refuses too.
Verdict = bool | str | tuple[str | None, str | None] | None

_RAISED = "signature_verifier of %r raised: the request is refused"
_WRONG = (
    "signature_verifier of %r returned %s, not bool, the message's id, or a dict with id and sender: "
    "the request is refused"
)

_logger = logging.getLogger("surehook")


class Verifier:
    """Calls a user's verifier. What it raises is logged and refuses the request; no sender learns of it."""

    def __init__(self, function: SignatureVerifier) -> None:
        if not callable(function):
            raise TypeError(f"signature_verifier must be a function, not {type(function).__name__}")
        self._function = function
        #: Whether it has to be awaited; of an object, its ``__call__`` may be the coroutine function.
        self.is_async = any(
            inspect.iscoroutinefunction(called) for called in (function, type(function).__call__)
        )

    def check(self, endpoint: str, request: object, body: bytes, headers: Headers) -> Verdict:
        """What the verifier says of a request."""
        try:
            return _verdict(endpoint, self._function(request, body, named(headers)))
        except Exception:
            _logger.exception(_RAISED, endpoint)
            return None

    async def check_async(self, endpoint: str, request: object, body: bytes, headers: Headers) -> Verdict:
        """The same; what it returns is awaited where that is needed."""
        try:
            said = self._function(request, body, named(headers))
            return _verdict(endpoint, await said if inspect.isawaitable(said) else said)
        except Exception:
            _logger.exception(_RAISED, endpoint)
            return None


def _verdict(endpoint: str, said: object) -> Verdict:
    if isinstance(said, bool) or (isinstance(said, str) and said):
        return said
    if isinstance(said, dict) and said.keys() <= {"id", "sender"}:
        names = (said.get("id"), said.get("sender"))
        texts = all(name is None or (isinstance(name, str) and name) for name in names)
        if texts and any(names):
            return names
    if inspect.iscoroutine(said):
        said.close()
    _logger.error(_WRONG, endpoint, "an empty str" if said == "" else type(said).__name__)
    return None


def named(headers: Headers) -> dict[str, str]:
    """The headers as the user's functions get them: names in lower case, text."""
    return {
        name.decode("utf-8", "replace").lower(): value.decode("utf-8", "replace") for name, value in headers
    }
