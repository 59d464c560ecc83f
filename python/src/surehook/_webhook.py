"""Verification alone, without de-duplication or telemetry."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from surehook import _native
from surehook._scheme import SchemeLike, scheme_json
from surehook.errors import Diagnosis, diagnosis, from_native

if TYPE_CHECKING:
    from typing_extensions import Self

HeadersLike = Mapping[str, Any] | Iterable[tuple[Any, Any]]


class Webhook(_native.Webhook):
    """Checks and makes the signatures of a Clerk, Svix or Standard Webhooks sender.

    Takes the place of the class of the same name in ``svix`` and ``standardwebhooks``. ``whsecret`` is the
    ``whsec_…`` text, the raw key as bytes, or a list of several while they are rotated.

    Raises ConfigurationError for a secret that cannot protect anything.

    >>> import surehook
    >>> webhook = surehook.Webhook("whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD")
    """

    __slots__ = ()

    def __new__(cls, whsecret: str | bytes | Sequence[str | bytes]) -> Self:
        try:
            return super().__new__(cls, whsecret)
        except _native.NativeError as error:
            raise from_native(error) from None

    def __repr__(self) -> str:
        return "<Webhook>"


@dataclass(frozen=True)
class Verification:
    """What ``verify`` found. ``code``, ``message``, ``docs`` and ``diagnosis`` say why it is not valid."""

    valid: bool
    code: str | None
    message: str | None
    #: The page that explains the finding, or the code where there is none.
    docs: str | None
    message_id: str | None
    #: When the provider signed it, in seconds since 1970; None where its scheme does not say.
    timestamp: int | None
    #: The cause, where one was found.
    diagnosis: Diagnosis | None

    def __bool__(self) -> bool:
        return self.valid


def verify(
    *,
    provider: str | None = None,
    scheme: SchemeLike | None = None,
    secret: str | bytes | Sequence[str | bytes],
    body: str | bytes,
    headers: HeadersLike,
    method: str | None = None,
    url: str | None = None,
    tolerance: float | None = None,
    max_body_bytes: int | None = None,
    now: float | None = None,
    received_at: float | None = None,
    diagnose: bool = False,
) -> Verification:
    """Check one webhook and say what is wrong with it instead of raising.

    Give the ``provider``, or a ``scheme`` of your own. ``url`` is the full public URL that was called, for
    providers that sign it, and ``method`` its HTTP method, by default POST. ``tolerance`` is in seconds;
    ``now`` (seconds since 1970) is the time to check against, by default the clock's. ``received_at`` is when
    a message that waited in a queue was received, by the queue's own metadata, never by the message: its age
    is counted to that time, which is at most 96 hours ago. A process looks for the cause of five refusals a
    second at most, ``diagnose=True`` of each one: it takes up to 5 ms, so leave it off where strangers can
    send requests. Raises ConfigurationError when provider, scheme, secret or a limit cannot be used.
    """
    row = scheme_json(scheme, provider)
    try:
        valid, code, message, docs, message_id, timestamp, cause = _native.verify(
            provider,
            row,
            secret,
            body,
            headers,
            method,
            url,
            tolerance,
            max_body_bytes,
            now,
            received_at,
            bool(diagnose),
        )
    except _native.NativeError as error:
        raise from_native(error) from None
    return Verification(valid, code, message, docs, message_id, timestamp, diagnosis(cause))
