"""A user's own function that gives the secret of a request: how it is called, and for how long."""

from __future__ import annotations

import concurrent.futures
import contextvars
import inspect
import logging
import threading
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from surehook import _native
from surehook._delivery import Headers
from surehook._verifier import named

_logger = logging.getLogger("surehook")


@dataclass(frozen=True)
class SecretRequest:
    """What a function that gives the secrets gets to see: nothing of it is verified yet."""

    method: str
    #: The path with its query, percent-encoded as it came.
    path: str
    #: Names in lower case; what came twice is joined.
    headers: Mapping[str, str]
    #: The raw bytes.
    body: bytes


Secret = str | bytes | Sequence[str | bytes]
#: A secret or several; ``{"secret": ..., "sender": "name"}`` to say whose; None where there is none.
GivenSecret = Secret | Mapping[str, Any] | None
#: A request to its secret. It may be async.
SecretFunction = Callable[[SecretRequest], GivenSecret | Awaitable[GivenSecret]]


class SecretSource:
    """Calls a user's function. What it raises is logged, and the request gets 503."""

    def __init__(self, function: SecretFunction) -> None:
        self._function = function
        #: Whether it has to be awaited; of an object, its ``__call__`` may be the coroutine function.
        self.is_async = any(
            inspect.iscoroutinefunction(called) for called in (function, type(function).__call__)
        )

    def ask(
        self, endpoint: _native.Endpoint, method: str, path: str, headers: Headers, body: bytes
    ) -> _native.SecretAnswer:
        """What the function says, within its time. It runs on a thread of its own, in this context."""
        call = endpoint.call_secret_function()
        if call is None:
            return _native.SecretAnswer.too_many()
        said = self._start(call, SecretRequest(method, path, named(headers), body))
        try:
            given = said.result(_native.SECRET_TIMEOUT)
        except concurrent.futures.TimeoutError:
            if not said.done():
                return _native.SecretAnswer.timed_out()
            return self._raised(endpoint, said.exception())
        except Exception as error:
            return self._raised(endpoint, error)
        if inspect.isawaitable(given):
            getattr(given, "close", lambda: None)()
            return _native.SecretAnswer.failed("is async, and nothing here can await it")
        return call.answered(given)

    async def ask_async(
        self, endpoint: _native.Endpoint, method: str, path: str, headers: Headers, body: bytes
    ) -> _native.SecretAnswer:
        """The same for an event loop."""
        import asyncio  # not at the top: who imports the package may have no use for it, and it takes a while

        call = endpoint.call_secret_function()
        if call is None:
            return _native.SecretAnswer.too_many()
        request = SecretRequest(method, path, named(headers), body)
        task = asyncio.ensure_future(self._given(call, request))
        try:
            await asyncio.wait({task}, timeout=_native.SECRET_TIMEOUT)
        finally:
            task.cancel()  # without effect on one that has ended
        if not task.done():
            return _native.SecretAnswer.timed_out()
        if (error := task.exception()) is not None:
            return self._raised(endpoint, error)
        return call.answered(task.result())

    async def _given(self, call: _native.SecretCall, request: SecretRequest) -> GivenSecret:
        import asyncio

        if not self.is_async:
            given = await asyncio.wrap_future(self._start(call, request))
            return await given if inspect.isawaitable(given) else given
        try:
            return await self._function(request)  # type: ignore[misc, no-any-return]
        finally:
            call.end()

    def _start(
        self, call: _native.SecretCall, request: SecretRequest
    ) -> concurrent.futures.Future[GivenSecret | Awaitable[GivenSecret]]:
        """A thread for each call: what hangs keeps no other waiting, and what a thread holds ends with it."""
        said: concurrent.futures.Future[Any] = concurrent.futures.Future()
        said.set_running_or_notify_cancel()

        def run() -> None:
            try:
                given = self._function(request)
            except BaseException as error:
                call.end()
                said.set_exception(error)
            else:
                call.end()
                said.set_result(given)

        context = contextvars.copy_context()
        threading.Thread(target=context.run, args=(run,), name="surehook-secret", daemon=True).start()
        return said

    def _raised(self, endpoint: _native.Endpoint, error: BaseException | None) -> _native.SecretAnswer:
        _logger.error("signature_secret of %r raised", endpoint.name, exc_info=error)
        return _native.SecretAnswer.failed(f"raised {type(error).__name__}")
