# The types of bindings/python. `mypy.stubtest` compares this file with the built module.
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, Generic, TypeAlias, TypeVar, final

from typing_extensions import Self, disjoint_base

from surehook.errors import Certainty, Finding

__all__ = [
    "SECRET_TIMEOUT",
    "STORED_BODY_LIMIT",
    "Attempts",
    "Capture",
    "Deferred",
    "Delivery",
    "Endpoint",
    "NativeError",
    "Pending",
    "Question",
    "SecretAnswer",
    "SecretCall",
    "Settled",
    "Webhook",
    "__version__",
    "findings",
    "flush",
    "freeze",
    "init",
    "may_commit",
    "new_secret",
    "now",
    "reason_codes",
    "shutdown",
    "sign",
    "stats",
    "stop_waker",
    "take_notices",
    "verify",
]
__version__: Final[str]
STORED_BODY_LIMIT: Final[int]
SECRET_TIMEOUT: Final[float]

_T = TypeVar("_T")

# (name, value) pairs of a span.
_Attributes: TypeAlias = list[tuple[str, str | int]]
# Kind, type, text, location.
_Failure: TypeAlias = tuple[str, str, str, str | None]
# Status, headers, body, what a span says of it.
_AnswerParts: TypeAlias = tuple[int, list[tuple[str, str]], bytes, _Attributes]
_Decision: TypeAlias = Delivery | _AnswerParts

def may_commit(status: int) -> bool: ...
def findings() -> list[str]: ...
def reason_codes() -> list[str]: ...

class NativeError(Exception):
    args: tuple[str, str, dict[str, Any]]

@disjoint_base
class Webhook:
    def __new__(cls, whsecret: str | bytes | Sequence[str | bytes]) -> Self: ...
    def sign(self, msg_id: str, timestamp: datetime, data: str | bytes) -> str: ...
    def verify(
        self,
        data: str | bytes,
        headers: Mapping[str, Any] | Iterable[tuple[Any, Any]],
        *,
        json_parse: bool = True,
        diagnose: bool = False,
        received_at: float | None = None,
    ) -> Any: ...

def verify(
    provider: str | None,
    scheme: str | None,
    secret: str | bytes | Sequence[str | bytes],
    body: str | bytes,
    headers: Mapping[str, Any] | Iterable[tuple[Any, Any]],
    method: str | None,
    url: str | None,
    tolerance: float | None,
    max_body_bytes: int | None,
    now: float | None,
    received_at: float | None,
    diagnose: bool,
) -> tuple[
    bool,
    str | None,
    str | None,
    str | None,
    str | None,
    int | None,
    tuple[Finding, Certainty, str, str] | None,
]: ...

@final
class Endpoint:
    def __new__(
        cls,
        *,
        provider: str | None = None,
        scheme: str | None = None,
        signature_secret: str | bytes | Sequence[str | bytes] | None = None,
        custom_verifier: bool = False,
        secret_function: bool = False,
        url: str | Sequence[str] | None = None,
        verify_token: str | None = None,
        event_type_field: str | None = None,
        name: str | None = None,
        tolerance: float | None = None,
        max_body_bytes: int | None = None,
        reject_status: int | None = None,
        dedup: str | None = None,
        dedup_ttl: float | None = None,
        on_store_error: str | None = None,
        on_in_flight: str | None = None,
        on_id_reuse: str | None = None,
        on_unsigned_id: str | None = None,
        require_processing_mark: bool = False,
        steps: Mapping[str, Sequence[str]] | None = None,
        ignore: Sequence[str] | None = None,
        on_silent_drop: str | None = None,
        verification: str | None = None,
        capture_body: bool | Sequence[str] | Mapping[str, Sequence[str]] | None = None,
        traced: bool = False,
        application: str | None = None,
        workers: tuple[int | None, int] | None = None,
        namespace: str | None = None,
        package: str | None = None,
    ) -> Endpoint: ...
    @property
    def name(self) -> str: ...
    @property
    def provider(self) -> str: ...
    @property
    def max_body_bytes(self) -> int: ...
    def call_secret_function(self) -> SecretCall | None: ...
    def check(self) -> None: ...
    def begin_to_serve(self) -> None: ...
    def set_secrets(self, secrets: str | bytes | Sequence[str | bytes]) -> None: ...
    def dedup_counts(self) -> dict[str, int]: ...
    def forget(self, id: str | None, idempotency_key: str | None, dedup_key: str | None) -> bool: ...
    def begin(
        self,
        method: str,
        path: str,
        headers: Iterable[tuple[bytes, bytes]],
        body: bytes | None,
        missing: str | None,
        verdict: bool | str | tuple[str | None, str | None] | None,
        key: Callable[[Any, dict[str, str]], str | None] | None,
        received_at: float | None = None,
        secret: SecretAnswer | None = None,
    ) -> (
        Any
    ): ...  # a _Decision, its Pending, or its Question, which only a store of the application's own asks

@final
class SecretCall:
    def answered(self, given: Any) -> SecretAnswer: ...
    def end(self) -> None: ...

@final
class SecretAnswer:
    @staticmethod
    def timed_out() -> SecretAnswer: ...
    @staticmethod
    def too_many() -> SecretAnswer: ...
    @staticmethod
    def failed(fault: str) -> SecretAnswer: ...

@final
class Delivery:
    @property
    def sender(self) -> str | None: ...
    @property
    def message_id(self) -> str | None: ...
    @property
    def event_type(self) -> str | None: ...
    @property
    def entity_id(self) -> str | None: ...
    @property
    def form(self) -> Any: ...
    def step(self, name: str) -> None: ...
    def step_begun(self, name: str) -> None: ...
    def step_ended(self, name: str, seconds: float, error: _Failure | None) -> None: ...
    def processed(self) -> None: ...
    def failed(self, reason: str, metadata: dict[str, Any]) -> None: ...
    def sender_left(self) -> None: ...
    def defer(self, deadline: float) -> str: ...
    def attributes(self) -> _Attributes: ...
    def finish(
        self, status: int, headers: Iterable[tuple[bytes, bytes]], body: bytes | None
    ) -> Any: ...  # _AnswerParts | None, their Pending; or a Settled or its Question
    def fail(self, error: _Failure) -> Question[None] | None: ...

@final
class Deferred:
    def __new__(cls, token: str) -> Deferred: ...
    @property
    def message_id(self) -> str | None: ...
    @property
    def event_type(self) -> str | None: ...
    @property
    def entity_id(self) -> str | None: ...
    def step(self, name: str) -> None: ...
    def step_begun(self, name: str) -> None: ...
    def step_ended(self, name: str, seconds: float, error: _Failure | None) -> None: ...
    def processed(self) -> None: ...
    def failed(self, reason: str, metadata: dict[str, Any]) -> None: ...
    def fail(self, error: _Failure) -> None: ...

@final
class Attempts:
    def take(self) -> dict[str, Any] | None: ...
    def answer(self, said: dict[str, Any] | None) -> None: ...

_BeforeSend: TypeAlias = Callable[[dict[str, Any]], dict[str, Any] | None]

@final
class Capture:
    def __new__(
        cls, before_send: _BeforeSend | None, serve: Callable[[Attempts, _BeforeSend], None]
    ) -> Capture: ...
    def attempts(self) -> list[dict[str, Any]]: ...
    def clear(self) -> None: ...
    def end(self) -> None: ...

def sign(
    *,
    provider: str,
    scheme: str | None,
    secret: str,
    method: str,
    url: str,
    query: str,
    headers: Mapping[str, str] | Iterable[tuple[str, str]],
    message_id: str,
    timestamp: int,
    body: bytes,
) -> tuple[str, list[tuple[str, str]], bytes]: ...
def new_secret(provider: str, scheme: str | None, random: bytes) -> str: ...
def freeze(at: int | None) -> None: ...
def now() -> int: ...

@final
class Pending(Generic[_T]):
    def wait(self) -> _T: ...
    def then(self, done: Callable[[_T], object]) -> None: ...

@final
class Question(Generic[_T]):
    def operation(self) -> tuple[str] | tuple[str, bytes | None, bytes | None, int | None]: ...
    def loaded(self, value: bytes | None) -> Question[_T] | _T: ...
    def replaced(self, took_place: bool) -> Question[_T] | _T: ...
    def failed(self, reason: str) -> _T: ...

@final
class Settled:
    def verdict(self) -> tuple[bool, _AnswerParts | None]: ...
    def committed(self) -> None: ...
    def rolled_back(self, reason: str | None) -> Question[None] | None: ...

def stop_waker() -> None: ...
def init(
    *,
    api_key: str | None,
    endpoint: str | None,
    runtime: str,
    framework: str | None,
    spool_dir: str | None,
    spool_max_attempts: int | None,
    spool_max_bytes: int | None,
    ca_file: str | None,
    before_send: _BeforeSend | None,
    serve: Callable[[Attempts, _BeforeSend], None],
    service: str | None,
    package: str | None,
) -> None: ...
def flush(timeout: float) -> bool: ...
def shutdown(timeout: float) -> bool: ...
def stats() -> tuple[int, int, int, dict[str, int], int]: ...
def take_notices() -> list[tuple[str, str]]: ...
