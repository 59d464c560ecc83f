"""One monitored webhook route: what an adapter asks before it runs the handler."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any, Literal, TypedDict, TypeGuard

from surehook import _native
from surehook._application_store import ApplicationStore
from surehook._delivery import Answer, Delivery, Headers, answered
from surehook._exit import watch_server
from surehook._failure import type_name
from surehook._notices import log_notices
from surehook._scheme import SchemeLike, scheme_json
from surehook._secret_function import SecretFunction, SecretSource
from surehook._service import package
from surehook._tracing import Trace, tracer
from surehook._transaction import begin_in_transaction, run, run_async
from surehook._verifier import SignatureVerifier, Verdict, Verifier
from surehook._waiting import settled
from surehook._workers import workers
from surehook.errors import ConfigurationError, from_native

if TYPE_CHECKING:
    from typing_extensions import Unpack

#: An answer whose body is longer than this is never stored: stop holding it back.
STORED_BODY_LIMIT: int = _native.STORED_BODY_LIMIT

IdempotencyKey = Callable[[Any, Any, dict[str, str]], "str | None"]

_logger = logging.getLogger("surehook")


class EndpointOptions(TypedDict, total=False):
    """The options of every wrapper. All but ``provider`` have the default an expert would choose."""

    #: A name of ``docs/providers.md``, e.g. ``clerk``. Any name with ``signature_verifier``.
    provider: str | None
    #: A scheme of your own, in place of a provider's: see ``docs/custom-schemes.md``.
    scheme: SchemeLike | None
    #: One secret or several (rotation), or a function that gives those of a request (tenants); by default
    #: the provider's environment variables.
    signature_secret: str | bytes | Sequence[str | bytes] | SecretFunction | None
    #: ``(request, body, headers)`` to True, the message's id, or ``{"id": ..., "sender": ...}``; or to False:
    #: verifies in place of the scheme.
    signature_verifier: SignatureVerifier | None
    #: The public URL without its query, or several of which one was called, for providers that sign it
    #: (Twilio, Square, HubSpot). A ``{name}`` stands for one segment of the request's path.
    url: str | Sequence[str] | None
    #: The token that you chose for Meta's subscription request.
    verify_token: str | None
    #: Where the event type stands in the JSON body.
    event_type_field: str | None
    #: ``(request, body, headers)`` to the key under which a message is handled once.
    idempotency_key: IdempotencyKey | None
    #: The name on the dashboard; by default the provider's.
    name: str | None
    #: Seconds that the signed time may be off, 1 to 3600.
    tolerance: float | None
    #: The largest body that is read.
    max_body_bytes: int | None
    #: 401 (default) or 400.
    reject_status: int | None
    #: Where handled messages are remembered: ``memory://`` (default), ``sqlite:///absolute/path``, ``redis://``,
    #: ``postgres://`` (see ``docs/dedup.md``) or ``off``; or a store in the application's own database.
    dedup: str | ApplicationStore | None
    #: Keeps the application's messages apart from those of others in the same store; by default
    #: ``SUREHOOK_NAMESPACE``, then ``?namespace=`` of the store's URL, then the ``service`` of ``init``.
    namespace: str | None
    #: Seconds that a handled message is remembered; 96 hours by default.
    dedup_ttl: float | None
    #: When the store cannot be asked: ``reject`` (default, 503) or ``process``, without de-duplication.
    on_store_error: Literal["reject", "process"] | None
    #: While another attempt is handled: ``answer`` (default, 409) or ``wait`` for its answer, 10 s at most.
    on_in_flight: Literal["answer", "wait"] | None
    #: When an id comes again with another body: ``replay``, ``handle`` or ``reject`` (422).
    on_id_reuse: Literal["replay", "handle", "reject"] | None
    #: An identical message under another id, where ids are not signed: ``duplicate`` (default) or ``handle``.
    on_unsigned_id: Literal["duplicate", "handle"] | None
    #: A 2xx answer without ``delivery.processed()`` counts as a silent drop.
    require_processing_mark: bool
    #: The steps that an event type must go through: ``{"user.created": ["create_profile"]}``.
    steps: Mapping[str, Sequence[str]] | None
    #: Event types that need no work: ``["session.*"]``.
    ignore: Sequence[str] | None
    #: ``report`` (default) or ``retry``: answer 500 so that the provider tries again.
    on_silent_drop: Literal["report", "retry"] | None
    #: Bodies in telemetry: True, the paths to take out (``["data.email_addresses"]``), or
    #: ``{"keep": [...], "remove": [...]}``. Credentials are taken out in any case.
    capture_body: bool | Sequence[str] | Mapping[str, Sequence[str]] | None
    #: With OpenTelemetry's API: ``link`` (default) a delivery's span to an incoming ``traceparent``, take
    #: that as its ``parent``, or ``off``.
    tracing: Literal["link", "parent", "off"] | None
    #: ``on`` (default) or ``off``, the only way to switch verification off.
    verification: Literal["on", "off"] | None


class MissingBody(Enum):
    """Why an adapter has no bytes to give."""

    #: There is more than ``Endpoint.max_body_bytes``.
    TOO_LARGE = "too_large"
    #: Something else read it before.
    UNAVAILABLE = "unavailable"
    #: The sender hung up before all of it had come.
    INCOMPLETE = "incomplete"


@dataclass(frozen=True)
class DedupCounts:
    """What became of an endpoint's verified messages: each attempt counts once, under what it came to."""

    #: The handler ran, and its end was the claim's end.
    new: int
    #: The stored answer was sent.
    duplicate: int
    #: Another attempt was being handled: 409.
    in_flight: int
    #: The id came before with another body, and that is worth a report.
    id_reuse: int
    #: An identical message under another id that is not signed: the stored answer was sent; look at it.
    same_body_other_id: int
    #: The handler ended after its lease had passed to another owner: nothing was stored.
    fenced: int
    #: The store could not be asked: 503.
    unavailable: int
    #: The store could not be asked: handled without de-duplication, or not stored at once.
    unprotected: int
    #: Answers that were stored without their body: it was too long, or streamed.
    bodies_omitted: int


class Endpoint:
    """A webhook route of this application. Raises ConfigurationError for an option that cannot be used.

    A secret that is missing or cannot be used is no error here: a program must be importable without its
    secrets. Until there is one, ``begin`` answers 503, and nothing is let through.
    """

    def __init__(self, **options: Unpack[EndpointOptions]) -> None:
        settings: dict[str, Any] = dict(options)
        self._store: ApplicationStore | None = None
        self._advised = False
        self._key: IdempotencyKey | None = settings.pop("idempotency_key", None)
        if self._key is not None and not callable(self._key):
            raise TypeError(f"idempotency_key must be a function, not {type(self._key).__name__}")
        function: SignatureVerifier | None = settings.pop("signature_verifier", None)
        verifier = None if function is None else Verifier(function)
        if verifier is not None and settings.get("signature_secret") is not None:
            fault = "nothing would use it: signature_verifier verifies"
            raise ConfigurationError(
                f"the option signature_secret cannot be used: {fault}", code="invalid_option"
            )
        given = settings.get("signature_secret")
        self._secrets = SecretSource(given) if callable(given) else None
        if self._secrets is not None:
            settings["signature_secret"] = None
        self._verifier = None if settings.get("verification") == "off" else verifier  # nobody would ask it
        if isinstance(store := settings.get("dedup"), ApplicationStore):
            settings["dedup"], settings["application"] = None, store.kind
            self._store = store
        settings["scheme"] = scheme_json(settings.get("scheme"), settings.get("provider"))
        self._tracer = tracer(settings.pop("tracing", None))
        try:
            self._native = _native.Endpoint(
                **settings,
                custom_verifier=function is not None,
                secret_function=self._secrets is not None,
                traced=self._tracer is not None,
                workers=workers(),
                package=package(),
            )
        except (_native.NativeError, UnicodeEncodeError) as error:
            raise from_native(error) from None
        finally:
            log_notices()

    @property
    def name(self) -> str:
        """The name on the dashboard."""
        return self._native.name

    @property
    def provider(self) -> str:
        """Who sends the webhooks."""
        return self._native.provider

    @property
    def max_body_bytes(self) -> int:
        """Read no more than this many bytes of a request, then pass ``MissingBody.TOO_LARGE``."""
        return self._native.max_body_bytes

    def check(self) -> None:
        """Raise ConfigurationError when there is no secret that could verify a request."""
        try:
            self._native.check()
        except _native.NativeError as error:
            raise from_native(error) from None
        finally:
            log_notices()

    def begin_to_serve(self) -> None:
        """Log what ``check`` would raise: for servers that start, before a request is refused for it."""
        self._native.begin_to_serve()
        log_notices()

    def set_secrets(self, signature_secret: str | bytes | Sequence[str | bytes]) -> None:
        """Verify with other secrets from now on, without a restart of this process.

        Raises ConfigurationError for a secret that cannot be used; the earlier ones then stay.
        """
        try:
            self._native.set_secrets(signature_secret)
        except _native.NativeError as error:
            raise from_native(error) from None
        finally:
            log_notices()

    def dedup_counts(self) -> DedupCounts:
        """What became of the verified messages in this process."""
        return DedupCounts(**self._native.dedup_counts())

    def forget(
        self,
        id: str | None = None,
        *,
        idempotency_key: str | None = None,
        dedup_key: str | None = None,
    ) -> bool:
        """Let a message run again with its next attempt; False when the store does not know it.

        It is named by the provider's id, where the provider signs it, by the key of ``idempotency_key``, or
        by the ``dedup.key`` of an attempt. With ``memory://`` there is no other way; never call it for what a
        request says. Raises ConfigurationError for a name that cannot be one, RuntimeError when the store
        cannot be asked.
        """
        try:
            return self._native.forget(id, idempotency_key, dedup_key)
        except _native.NativeError as error:
            raise from_native(error) from None

    @property
    def is_async(self) -> bool:
        """Whether a function of yours or the store has to be awaited, as only ``begin_async`` can."""
        functions = (self._verifier, self._secrets)
        awaited = any(function is not None and function.is_async for function in functions)
        return awaited or (self._store is not None and inspect.iscoroutinefunction(self._store.load))

    def require_no_thread_of_its_own(self) -> None:
        """Raise where the store needs handlers with threads of their own. For adapters of async handlers."""
        if self._store is not None and self._store.is_thread_bound:
            fault = "handlers that share a thread would share its session: give it a sessionmaker, and use"
            raise ConfigurationError(
                f"the option dedup cannot be used here: {fault} delivery.transaction.session",
                code="invalid_option",
            )

    def begin(
        self,
        *,
        method: str,
        path: str,
        headers: Headers,
        body: bytes | MissingBody,
        request: object = None,
        body_advice: str | None = None,
        received_at: float | None = None,
    ) -> Answer | Delivery:
        """Decide on one request: the answer to send, or the delivery to run the handler with.

        ``path`` is the path with its query, percent-encoded as it came. ``request`` is what the user's
        ``signature_verifier`` and ``idempotency_key`` get to see first. ``body_advice`` says how to
        have the raw body in this framework: it is logged, once, when that is ``UNAVAILABLE``. ``received_at``
        (seconds since 1970) is when a request that waited in a queue was received, by the queue's metadata,
        never by the message: its age is counted to that time. Waits for a remote store, at most 250 ms,
        while other threads run.
        """
        watch_server()
        trace = self._start_trace(headers)
        try:
            verdict = None
            if self._verifier is not None and self._admits(body):
                verdict = self._verifier.check(self.name, request, body, headers)
            secret = None
            if self._secrets is not None and self._admits(body):
                secret = self._secrets.ask(self._native, method, path, headers, body)
            begun = self._ask(method, path, headers, body, request, verdict, received_at, secret)
            self._advise(body, body_advice)
            if isinstance(begun, _native.Pending):
                begun = begun.wait()
            if self._store is not None:
                return run(begin_in_transaction(begun, self._store, trace))
            return _public(begun, trace)
        except BaseException as error:
            _abandon(trace, error)
            raise

    async def begin_async(
        self,
        *,
        method: str,
        path: str,
        headers: Headers,
        body: bytes | MissingBody,
        request: object = None,
        body_advice: str | None = None,
        received_at: float | None = None,
    ) -> Answer | Delivery:
        """The same for an event loop, which it never blocks; a ``signature_verifier`` may be async."""
        watch_server()
        self.require_no_thread_of_its_own()
        trace = self._start_trace(headers)
        try:
            verdict = None
            if self._verifier is not None and self._admits(body):
                verdict = await self._verifier.check_async(self.name, request, body, headers)
            secret = None
            if self._secrets is not None and self._admits(body):
                secret = await self._secrets.ask_async(self._native, method, path, headers, body)
            begun = self._ask(method, path, headers, body, request, verdict, received_at, secret)
            self._advise(body, body_advice)
            if isinstance(begun, _native.Pending):
                begun = await settled(begun)
            if self._store is not None:
                return await run_async(begin_in_transaction(begun, self._store, trace))
            return _public(begun, trace)
        except BaseException as error:
            _abandon(trace, error)
            raise

    def _start_trace(self, headers: Headers) -> Trace | None:
        return None if self._tracer is None else self._tracer.start(self.provider, headers)

    def _admits(self, body: bytes | MissingBody) -> TypeGuard[bytes]:
        """Whether there is a body to verify: the user's function gets none that is too large."""
        return not isinstance(body, MissingBody) and len(body) <= self.max_body_bytes

    def _ask(
        self,
        method: str,
        path: str,
        headers: Headers,
        body: bytes | MissingBody,
        request: object,
        verdict: Verdict,
        received_at: float | None,
        secret: _native.SecretAnswer | None,
    ) -> Any:
        content, missing = (None, body.value) if isinstance(body, MissingBody) else (body, None)
        key = None if self._key is None else self._bind_key(self._key, request)
        return self._native.begin(method, path, headers, content, missing, verdict, key, received_at, secret)

    def _advise(self, body: bytes | MissingBody, advice: str | None) -> None:
        """How to have the raw body in this framework: once, for every forged request would say it again."""
        if body is MissingBody.UNAVAILABLE and advice is not None and not self._advised:
            self._advised = True
            log_notices()  # first that the body is unavailable, then what to do about it
            _logger.warning("%s: %s", self.name, advice)

    def _bind_key(self, key: IdempotencyKey, request: object) -> Callable[[Any, dict[str, str]], str | None]:
        def call(body: Any, headers: dict[str, str]) -> str | None:
            try:
                found = key(request, body, headers)
            except Exception:
                _logger.exception("idempotency_key of %r raised: the provider's id is used", self.name)
                return None
            if found is None or isinstance(found, str):
                return found
            _logger.error(
                "idempotency_key of %r returned %s, not str: the provider's id is used",
                self.name,
                type(found).__name__,
            )
            return None

        return call

    def __repr__(self) -> str:
        return f"<Endpoint {self.name} ({self.provider})>"


def _public(decision: _native._Decision, trace: Trace | None) -> Answer | Delivery:
    log_notices()
    return answered(decision, trace) if isinstance(decision, tuple) else Delivery(decision, trace)


def _abandon(trace: Trace | None, error: BaseException) -> None:
    if trace is not None:
        trace.end(lambda: [("error.type", type_name(error))])
