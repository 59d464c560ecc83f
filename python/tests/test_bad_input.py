"""What callers hand in by mistake: a clear error of ours, never a foreign one, and never the secret in it."""

import email.message
import json
from collections import ChainMap, UserDict
from types import MappingProxyType

import httpx
import pytest
from signing import SECRET, event, signed
from starlette.datastructures import Headers as StarletteHeaders
from werkzeug.datastructures import Headers as WerkzeugHeaders

import surehook
from surehook import ConfigurationError, Endpoint, Webhook, WebhookVerificationError, verify

SQUARE_SECRET = "a secret of forty characters for tests"
CANARY = "whsec_Y2FuYXJ5IGNhbmFyeSBjYW5hcnkgY2FuYXJ5IQ=="
BODY = event()


def kind(value: object) -> str:
    return type(value).__name__


def message(headers: dict[str, str]) -> email.message.Message:
    made = email.message.Message()
    for name, value in headers.items():
        made[name] = value
    return made


class Pairs:
    """A headers object that only has `items`, as some frameworks have it."""

    def __init__(self, headers):
        self._headers = headers

    def items(self):
        return iter(self._headers.items())


SHAPES = {
    "title case": lambda headers: {name.title(): value for name, value in headers.items()},
    "bytes": lambda headers: {name.encode(): value.encode() for name, value in headers.items()},
    "lists of one": lambda headers: {name: [value] for name, value in headers.items()},
    "tuples of one": lambda headers: {name: (value,) for name, value in headers.items()},
    "lists of two": lambda headers: [[name, value] for name, value in headers.items()],
    "raw ASGI": lambda headers: [(name.encode(), value.encode()) for name, value in headers.items()],
    "generator": lambda headers: ((name, value) for name, value in headers.items()),
    "mapping": MappingProxyType,
    "UserDict": UserDict,
    "ChainMap": ChainMap,
    "object with items": Pairs,
    "http.client": message,
    "httpx": httpx.Headers,
    "starlette": StarletteHeaders,
    "werkzeug": WerkzeugHeaders,
}


@pytest.mark.parametrize("shape", SHAPES)
def test_headers_of_many_shapes_are_read(shape):
    Webhook(SECRET).verify(BODY, SHAPES[shape](signed(BODY)))


TWICE = {
    "list of two": lambda headers: headers | {"svix-id": [headers["svix-id"]] * 2},
    "two cases": lambda headers: headers | {"Svix-Id": headers["svix-id"]},
    "pairs": lambda headers: [*headers.items(), ("SVIX-ID", headers["svix-id"])],
    "str and bytes": lambda headers: headers | {b"svix-id": headers["svix-id"]},
    "starlette": lambda headers: StarletteHeaders(
        raw=[(name.encode(), value.encode()) for name, value in headers.items()] + [(b"svix-id", b"msg_2")]
    ),
}


@pytest.mark.parametrize("shape", TWICE)
def test_a_header_that_is_there_twice_is_refused_in_every_shape(shape):
    with pytest.raises(WebhookVerificationError) as caught:
        Webhook(SECRET).verify(BODY, TWICE[shape](signed(BODY)))
    assert caught.value.code == "duplicate_header"


def test_an_empty_list_of_values_is_no_header():
    with pytest.raises(WebhookVerificationError) as caught:
        Webhook(SECRET).verify(BODY, signed(BODY) | {"svix-id": []})
    assert caught.value.code == "missing_header"


class Angry:
    """Whatever is asked of it, it raises."""

    def items(self):
        raise LookupError(CANARY)

    def __iter__(self):
        raise LookupError(CANARY)

    def __float__(self):
        raise LookupError(CANARY)

    def __index__(self):
        raise LookupError(CANARY)


def failing():
    yield "svix-id", "msg_1"
    raise LookupError(CANARY)


NO_HEADERS = [
    *(None, 5, "svix-id: 1", b"x", Angry(), [("a",)], [("a", "b", "c")], ["ab"], [1], [["a"]], [None]),
    *(
        {"svix-id": 5},
        {5: "x"},
        {"a": None},
        {"a": [None]},
        {"a": ["b", 5]},
        {"a": {"b": "c"}},
        {"a": [["b"]]},
    ),
    failing,
]


@pytest.mark.parametrize("headers", NO_HEADERS, ids=kind)
def test_what_is_no_headers_is_a_type_error(headers):
    headers = headers() if headers is failing else headers
    with pytest.raises(TypeError, match="header") as caught:
        verify(provider="clerk", secret=CANARY, body=BODY, headers=headers)
    unseen(caught.value)


def unseen(error: BaseException) -> None:
    """The canary is nowhere in the error, nor in what it was raised from."""
    while error is not None:
        texts = [str(error), repr(error), repr(error.args), repr(vars(error))]
        assert not any(CANARY.removeprefix("whsec_") in text for text in texts)
        error = error.__cause__


def sender(options):
    return {} if "scheme" in options else {"provider": "clerk"}


def build(**options):
    return Endpoint(**sender(options) | {"signature_secret": CANARY} | options)


def check(**options):
    return verify(**sender(options) | {"secret": CANARY, "body": BODY, "headers": signed(BODY)} | options)


NO_SECRETS = [5, 1.5, True, object(), {"a": CANARY}, [5], [[CANARY]], Angry()]


def builders(secret):
    """Each way to hand over a secret, up to where it is needed."""
    return (
        lambda: Webhook(secret),
        lambda: build(signature_secret=secret).check(),
        lambda: check(secret=secret),
    )


@pytest.mark.parametrize("secret", NO_SECRETS, ids=kind)
def test_a_secret_of_an_odd_type_is_a_type_error(secret):
    for call in (
        lambda: Webhook(secret),
        lambda: build(signature_secret=secret),
        lambda: check(secret=secret),
    ):
        with pytest.raises(TypeError, match="secret") as caught:
            call()
        unseen(caught.value)


def test_no_secret_at_all_is_a_configuration_error(monkeypatch):
    monkeypatch.delenv("CLERK_WEBHOOK_SIGNING_SECRET", raising=False)
    for call in builders(None):
        with pytest.raises(ConfigurationError) as caught:
            call()
        assert (caught.value.code, caught.value.finding) == ("secret_missing", None)


@pytest.mark.parametrize(
    ("secret", "finding"),
    [
        (f" {CANARY}", "secret_whitespace_or_quotes"),
        (f"'{CANARY}'", "secret_whitespace_or_quotes"),
        (f"sk_{CANARY}", "not_a_webhook_secret"),
        (f"https://{CANARY}", "not_a_webhook_secret"),
        ("${" + CANARY + "}", "not_a_webhook_secret"),
        (f"{CANARY}!", None),
    ],
)
def test_what_a_secret_really_is_stands_in_the_error(secret, finding):
    for call in builders(secret):
        with pytest.raises(ConfigurationError) as caught:
            call()
        assert (caught.value.code, caught.value.finding) == ("secret_invalid", finding)
        unseen(caught.value)


def test_bytes_are_the_key_or_the_text_as_the_scheme_has_it():
    assert build(signature_secret=b"a key of thirty-two raw bytes !!").provider == "clerk"
    assert Endpoint(provider="github", signature_secret=b"It's a Secret to Everybody").provider == "github"
    with pytest.raises(ConfigurationError, match="no valid text"):
        Endpoint(provider="github", signature_secret=b"\xff" * 32).check()


NUMBERS = ("tolerance", "max_body_bytes", "reject_status", "dedup_ttl")
TEXTS = ("provider", "url", "verify_token", "name", "event_type_field", "dedup")
WORDS = ("on_silent_drop", "on_store_error", "on_in_flight", "on_id_reuse", "on_unsigned_id", "verification")


@pytest.mark.parametrize("option", NUMBERS)
@pytest.mark.parametrize("value", ["300", b"300", [300], {}, object(), Angry(), 10**400, -1, 2.5j], ids=kind)
def test_a_number_that_is_none_is_a_clear_error(option, value):
    with pytest.raises((TypeError, ConfigurationError), match=option) as caught:
        build(**{option: value})
    unseen(caught.value)


@pytest.mark.parametrize("option", [*TEXTS, *WORDS])
@pytest.mark.parametrize("value", [5, 1.5, True, b"text", ["text"], {}, object(), "\ud800"], ids=kind)
def test_a_text_that_is_none_is_a_clear_error(option, value):
    with pytest.raises((TypeError, ConfigurationError), match=option) as caught:
        build(**{option: value})
    unseen(caught.value)


@pytest.mark.parametrize(
    "options",
    [
        {"steps": 5},
        {"steps": {"user.created": "create"}},
        {"steps": {5: ["a"]}},
        {"steps": {"\ud800": ["a"]}},
        {"ignore": 5},
        {"ignore": "session.*"},
        {"ignore": ["\ud800"]},
        {"require_processing_mark": "yes"},
        {"signature_verifier": "verify"},
        {"signature_verifier": CANARY},
        {"idempotency_key": CANARY},
        {"custom_verifier": True},
        {"scheme": CANARY},
    ],
    ids=kind,
)
def test_other_options_of_odd_types_are_clear_errors(options):
    with pytest.raises((TypeError, ConfigurationError)) as caught:
        build(**options)
    unseen(caught.value)


@pytest.mark.parametrize(
    "option", ["method", "url", "tolerance", "max_body_bytes", "now", "scheme", "provider"]
)
@pytest.mark.parametrize("value", [object(), b"x", [1], Angry()], ids=kind)
def test_arguments_of_verify_of_odd_types_are_type_errors(option, value):
    with pytest.raises(TypeError, match=option) as caught:
        check(**{option: value})
    unseen(caught.value)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "example.com/hooks",
        "ftp://example.com",
        "https://",
        "https:///x",
        "https://a b",
        "https://a/#b",
        "x",
    ],
)
def test_a_url_that_is_none_is_refused(url):
    with pytest.raises(ConfigurationError, match="url") as caught:
        verify(
            provider="square", secret="a secret of forty characters for tests", body=b"", headers={}, url=url
        )
    assert caught.value.code == "invalid_option"


SCHEME = {
    "provider": "acme",
    "secret": "utf8",
    "algorithm": "hmac_sha256",
    "signature": {"header": "x-acme"},
    "content": "{body}",
}
WRONG_SCHEMES = {
    "empty": {},
    "no provider": {"provider": ""},
    "the secret itself": {"secret": CANARY},
    "the secret itself, in a list": {"secret": [CANARY]},
    "unknown algorithm": {"algorithm": "hmac_md5"},
    "unknown member": {"colour": "red"},
    "signature in two places": {"signature": {"header": "x", "body": "y"}},
    "id without a place": {"content": "{id}.{body}"},
    "unknown piece": {"content": "{nothing}"},
    "open brace": {"content": "{body"},
    "no content": {"content": ""},
    "key of another algorithm": {"secret": "ed25519_hex"},
    "number for a text": {"provider": 5},
    "negative size": {"max_body_bytes": -1},
    "object": {"content": object()},
    "bytes": {"content": b"{body}"},
    "not a number": {"max_body_bytes": float("nan")},
    "surrogate": {"provider": "\ud800"},
    "deep": {"content": json.loads("[" * 500 + "]" * 500)},
}


@pytest.mark.parametrize("case", WRONG_SCHEMES)
def test_a_wrong_scheme_is_refused_by_name(case):
    scheme = SCHEME | WRONG_SCHEMES[case] if WRONG_SCHEMES[case] else {}
    for call in (lambda: build(scheme=scheme), lambda: check(scheme=scheme)):
        with pytest.raises(ConfigurationError, match="scheme") as caught:
            call()
        assert caught.value.code == "invalid_option"
        unseen(caught.value)


def test_a_scheme_that_holds_itself_is_refused():
    scheme = dict(SCHEME)
    scheme["content"] = scheme
    with pytest.raises(ConfigurationError, match="scheme"):
        check(scheme=scheme)


def test_a_scheme_may_be_any_mapping_and_needs_no_provider_beside_it():
    assert Endpoint(scheme=MappingProxyType(SCHEME), signature_secret="a secret of tests").provider == "acme"


def test_a_scheme_beside_a_provider_is_refused():
    for call in (
        lambda: build(scheme=SCHEME, provider="clerk"),
        lambda: check(scheme=SCHEME, provider="acme"),
    ):
        with pytest.raises(ConfigurationError, match="not both"):
            call()


def test_a_secret_that_nothing_would_use_is_refused():
    with pytest.raises(ConfigurationError, match="signature_secret") as caught:
        build(signature_verifier=lambda *_: True)
    assert caught.value.code == "invalid_option"
    unseen(caught.value)


def test_a_scheme_without_a_secret_says_what_to_do():
    with pytest.raises(ConfigurationError, match=r"pass it$") as caught:
        Endpoint(scheme=SCHEME).check()
    assert caught.value.code == "secret_missing"


@pytest.mark.parametrize("options", [{}, {"provider": None}, {"provider": ""}, {"provider": "clark"}])
def test_without_a_provider_or_a_scheme_nothing_is_built(options):
    with pytest.raises(ConfigurationError) as caught:
        Endpoint(signature_secret=CANARY, **options)
    assert caught.value.code == "unknown_provider"
    with pytest.raises(ConfigurationError):
        verify(secret=CANARY, body=BODY, headers={}, **options)


def test_the_class_of_each_error_is_one_of_ours():
    assert issubclass(ConfigurationError, surehook.SurehookError)
    assert issubclass(WebhookVerificationError, surehook.SurehookError)


PATHS = (
    *("data.email_addresses", b"data", 5, {"data"}, ["data", 5], [None], [""], ["data..id"], [["data"]]),
    *({"keep": "data"}, {"keep": None}, {"drop": []}, {1: []}, {"keep": [5]}, {"remove": ["."]}, object()),
)


@pytest.mark.parametrize("value", PATHS, ids=repr)
def test_paths_of_bodies_that_are_none_are_a_configuration_error(value):
    with pytest.raises(ConfigurationError, match="capture_body") as caught:
        Endpoint(provider="clerk", signature_secret=SECRET, capture_body=value)
    assert caught.value.code == "invalid_option"


def test_callbacks_that_take_their_time_or_raise_end_no_request():
    """The user's functions beside the handler; `before_send` has tests of its own."""
    calls = []

    def key(request, body, headers):
        calls.append("key")
        raise SystemError("no key")

    def verifier(request, body, headers):
        calls.append("verifier")
        raise RecursionError("no verdict")

    raw = [(name.encode(), value.encode()) for name, value in signed(BODY).items()]
    request = {"method": "POST", "path": "/", "headers": raw, "body": BODY.encode()}
    keyed = Endpoint(provider="clerk", signature_secret=SECRET, name="raising key", idempotency_key=key)
    assert isinstance(keyed.begin(**request), surehook.Delivery)
    own = Endpoint(provider="own", signature_verifier=verifier, name="raising verifier")
    answer = own.begin(**request)
    assert isinstance(answer, surehook.Answer) and answer.status == 401
    assert calls == ["key", "verifier"]
