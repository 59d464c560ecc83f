"""The spans of deliveries, with the SDK of OpenTelemetry and its exporter in memory."""

import asyncio
import contextlib
import json
import subprocess
import sys
from types import ModuleType

import django.test
import fastapi
import flask
import httpx
import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF
from opentelemetry.trace import SpanKind, StatusCode
from servers import HERE, environment
from signing import SECRET, event, new_id, signed

import surehook
from surehook import testing

TRACEPARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
#: For each `tracing`, the endpoint's name.
TRACED = ("link", "parent", "off")

exporter = InMemorySpanExporter()
provider = TracerProvider()
provider.add_span_processor(SimpleSpanProcessor(exporter))
trace.set_tracer_provider(provider)
tracer = trace.get_tracer("the application")


@pytest.fixture(autouse=True)
def clear():
    exporter.clear()


def options(tracing: str | None) -> dict:
    return {
        "provider": "clerk",
        "signature_secret": SECRET,
        "name": f"traced {tracing} {new_id()}",
        "tracing": tracing,
    }


def work(delivery) -> None:
    """What the handlers do: a span of their own, and what the entity's id asks for."""
    with tracer.start_as_current_span("the handler's own"):
        match delivery.entity_id:
            case "fail":
                delivery.failed("no such plan")
            case "raise":
                raise LookupError("gone")


@contextlib.contextmanager
def server_span():
    with tracer.start_as_current_span("server", kind=SpanKind.SERVER):
        yield


@pytest.fixture(params=["fastapi", "fastapi-sync", "flask", "django", "django-async"])
def post(request):
    """`post(tracing, headers, body)` to a handler inside of a server's span; the status."""
    return request.getfixturevalue(f"post_{request.param.replace('-', '_')}")


def post_with_asgi(app):
    async def serve(scope, receive, send):
        with server_span():
            await app(scope, receive, send)

    async def post(tracing, headers, body):
        async with httpx.AsyncClient(
            transport=httpx.ASGITransport(serve, raise_app_exceptions=False)
        ) as http:
            return (await http.post(f"http://app/{tracing}", content=body, headers=headers)).status_code

    return lambda *arguments: asyncio.run(post(*arguments))


@pytest.fixture
def post_fastapi():
    from surehook.fastapi import with_webhook_monitoring

    app = fastapi.FastAPI()

    async def hooks(delivery):
        await asyncio.sleep(0)
        work(delivery)

    for tracing in TRACED:
        app.post(f"/{tracing}")(with_webhook_monitoring(**options(tracing))(hooks))
    return post_with_asgi(app)


@pytest.fixture
def post_fastapi_sync():
    from surehook.fastapi import with_webhook_monitoring

    app = fastapi.FastAPI()

    def hooks():
        work(surehook.current_delivery())

    for tracing in TRACED:
        app.post(f"/{tracing}")(with_webhook_monitoring(**options(tracing))(hooks))
    return post_with_asgi(app)


@pytest.fixture
def post_flask():
    from surehook.flask import with_webhook_monitoring

    app = flask.Flask(__name__)

    def hooks(delivery):
        work(delivery)
        return ""

    for tracing in TRACED:
        app.post(f"/{tracing}", endpoint=tracing)(with_webhook_monitoring(**options(tracing))(hooks))

    def post(tracing, headers, body):
        with server_span():
            return app.test_client().post(f"/{tracing}", data=body, headers=headers).status_code

    return post


@contextlib.contextmanager
def django_urls(view):
    from django.conf import settings
    from django.urls import path

    from surehook.django import with_webhook_monitoring

    if not settings.configured:
        settings.configure(ALLOWED_HOSTS=["*"], SECRET_KEY="only tests may know")
        django.setup()
    urls = ModuleType("urls")
    urls.urlpatterns = [
        path(tracing, with_webhook_monitoring(**options(tracing))(view)) for tracing in TRACED
    ]
    with django.test.override_settings(ROOT_URLCONF=urls, ALLOWED_HOSTS=["*"]):
        yield


@pytest.fixture
def post_django():
    from django.http import HttpResponse

    def view(request, delivery):
        work(delivery)
        return HttpResponse()

    def post(tracing, headers, body):
        client = django.test.Client(raise_request_exception=False)
        with server_span():
            return client.post(
                f"/{tracing}", data=body, content_type="application/json", headers=headers
            ).status_code

    with django_urls(view):
        yield post


@pytest.fixture
def post_django_async():
    from django.http import HttpResponse

    async def view(request, delivery):
        work(delivery)
        return HttpResponse()

    async def post(tracing, headers, body):
        client = django.test.AsyncClient(raise_request_exception=False)
        with server_span():
            answer = await client.post(
                f"/{tracing}", data=body, content_type="application/json", headers=headers
            )
        return answer.status_code

    with django_urls(view):
        yield lambda *arguments: asyncio.run(post(*arguments))


class Spans(dict):
    """What was exported, by name. FastAPI has spans of its own, so between two of these there may be more."""

    def __init__(self):
        finished = exporter.get_finished_spans()
        exporter.clear()
        super().__init__((span.name, span) for span in finished)
        self._by_id = {span.context.span_id: span for span in finished}

    def is_below(self, span, above) -> bool:
        while span is not None and span.parent is not None:
            span = self._by_id.get(span.parent.span_id)
            if span is above:
                return True
        return False

    @property
    def servers(self) -> list:
        """The spans of servers, from the outermost."""
        return [span for span in reversed(self._by_id.values()) if span.kind is SpanKind.SERVER]

    def is_in_server(self, span) -> bool:
        return any(self.is_below(span, server) for server in self.servers)


def test_a_delivery_has_a_consumer_span_between_the_servers_and_the_handlers_own(post):
    body, message_id = event(), new_id()
    headers = signed(body, message_id=message_id)
    assert post("link", headers, body) == 200
    found = Spans()
    span = found["process clerk"]
    assert span.kind is SpanKind.CONSUMER
    assert found.is_in_server(span)
    assert found.is_below(found["the handler's own"], span)
    attributes = dict(span.attributes)
    assert attributes.pop("messaging.destination.name").startswith("traced link")
    assert attributes == {
        "messaging.system": "webhook",
        "messaging.operation.name": "process",
        "messaging.operation.type": "process",
        "messaging.message.id": message_id,
        "messaging.message.body.size": len(body),
        "cloudevents.event_id": message_id,
        "cloudevents.event_source": "clerk",
        "cloudevents.event_type": "user.created",
        "surehook.provider": "clerk",
        "surehook.event_type": "user.created",
        "surehook.verification.result": "verified",
        "surehook.dedup.result": "new",
        "surehook.outcome": "processed",
    }
    assert span.status.status_code is StatusCode.UNSET
    assert span.links == ()
    # The same message again: no handler, and no error.
    assert post("link", headers, body) == 200
    found = Spans()
    assert "the handler's own" not in found
    assert found["process clerk"].attributes["surehook.outcome"] == "duplicate"
    assert found["process clerk"].attributes["surehook.dedup.result"] == "duplicate"


@pytest.mark.parametrize(("entity", "error"), [("fail", "failed"), ("raise", "LookupError")])
def test_what_failed_is_an_error_of_its_span(post, entity, error):
    body = event(entity=entity)
    post("link", signed(body), body)
    span = Spans()["process clerk"]
    assert (span.attributes["surehook.outcome"], span.attributes["error.type"]) == ("failed", error)
    assert span.status.status_code is StatusCode.ERROR


class Uncommitted(surehook.ApplicationStore, surehook.ApplicationTransaction):
    """A database in which nothing can be committed."""

    kind = "uncommitted"

    def __init__(self):
        self.rows = {}

    def load(self, key):
        return self.rows.get(key)

    def replace(self, key, old, new, expires_at):
        if self.rows.get(key) != old:
            return False
        self.rows[key] = new
        return True

    def begin(self):
        return self

    def commit(self):
        raise ConnectionError("the database is gone")

    def rollback(self):
        pass


def test_a_span_says_that_the_work_failed_when_its_transaction_did_not_commit():
    endpoint = surehook.Endpoint(**options("link") | {"dedup": Uncommitted()})
    body = event()
    sent = [(name.encode(), value.encode()) for name, value in signed(body).items()]
    with testing.capture() as captured:
        delivery = endpoint.begin(method="POST", path="/", headers=sent, body=body.encode())
        delivery.defer(60)
        with pytest.raises(ConnectionError) as raised:
            delivery.finish(status=202, headers=[], body=b"")
        delivery.fail(raised.value)
    attempt = captured.one()
    assert (attempt["outcome"], attempt["failure"]["error"]["type"]) == ("failed", "NotCommitted")
    assert "deferred_until" not in attempt
    span = Spans()["process clerk"]
    assert span.attributes["surehook.outcome"] == "failed"
    assert span.attributes["error.type"] == "NotCommitted"
    assert span.status.status_code is StatusCode.ERROR


def test_of_a_refused_request_nothing_is_believed(post):
    body = event()
    assert post("link", signed(body) | {"svix-signature": f"v1,{'A' * 43}="}, body) == 401
    span = Spans()["process clerk"]
    assert span.attributes["surehook.outcome"] == "rejected"
    assert span.attributes["surehook.verification.code"] == "signature_mismatch"
    assert span.status.status_code is StatusCode.ERROR
    assert "messaging.message.id" not in span.attributes


def test_an_incoming_trace_is_linked_or_the_parent_or_not_looked_at(post):
    body = event()
    post("link", signed(body) | {"traceparent": TRACEPARENT}, body)
    found = Spans()
    (link,) = found["process clerk"].links
    assert f"{link.context.trace_id:032x}-{link.context.span_id:016x}" == TRACEPARENT[3:52]
    assert found.is_in_server(found["process clerk"])

    post("parent", signed(body) | {"traceparent": TRACEPARENT}, body)
    span = Spans()["process clerk"]
    assert f"{span.context.trace_id:032x}-{span.parent.span_id:016x}" == TRACEPARENT[3:52]
    assert span.links == ()

    for tracing in ("link", "parent"):  # without one, and with one that is none
        for headers in ({}, {"traceparent": "00-ff-ff-01"}):
            post(tracing, signed(body) | headers, body)
            found = Spans()
            assert found.is_in_server(found["process clerk"])
            assert found["process clerk"].links == ()

    post("off", signed(body) | {"traceparent": TRACEPARENT}, body)
    found = Spans()
    assert "process clerk" not in found
    assert found.is_in_server(found["the handler's own"])


@pytest.mark.parametrize("wrong", ["on", "", 1, True, ["link"]])
def test_another_word_than_these_is_refused(wrong):
    with pytest.raises(surehook.ConfigurationError, match="tracing cannot be used: it must be one of: link"):
        surehook.Endpoint(**options(wrong))


def begin(endpoint, **extra):
    body = event()
    headers = [(name.encode(), value.encode()) for name, value in (signed(body) | extra).items()]
    return endpoint.begin(method="POST", path="/", headers=headers, body=body.encode())


class Broken:
    """A tracer of which everything raises."""

    def __getattr__(self, name):
        raise RuntimeError(f"the tracer has no {name}")


@pytest.mark.parametrize("broken", ["tracer", "span"])
def test_a_tracer_that_raises_changes_nothing(broken, caplog, monkeypatch):
    monkeypatch.setattr("surehook._tracing._said", False)
    endpoint = surehook.Endpoint(**options(None))
    if broken == "tracer":
        endpoint._tracer._tracer = Broken()
    else:
        monkeypatch.setattr(
            "opentelemetry.sdk.trace._Span.set_attributes", lambda *_: Broken().set_attributes
        )
    for _ in range(3):
        with testing.capture() as captured:
            delivery = begin(endpoint)
            with delivery.current():
                assert surehook.current_delivery() is delivery
            assert delivery.finish(status=200, headers=[], body=b"") is None
            assert captured.one()["outcome"] == "processed"
    assert [record.message for record in caplog.records].count(
        "a trace could not be told of a webhook; this is logged once"
    ) == 1
    if broken == "span":
        assert [span.name for span in exporter.get_finished_spans()] == ["process clerk"] * 3


def test_nothing_is_computed_for_a_span_that_nobody_records(caplog):
    endpoint = surehook.Endpoint(**options(None))
    endpoint._tracer._tracer = TracerProvider(sampler=ALWAYS_OFF).get_tracer("unrecorded")
    span = endpoint._tracer.start("clerk", [])
    span.tell(lambda: pytest.fail("it was asked"))
    span.end(lambda: pytest.fail("it was asked"))
    with testing.capture() as captured:
        begin(endpoint).finish(status=200, headers=[], body=b"")
        assert captured.one()["outcome"] == "processed"
    assert caplog.records == []


def test_a_delivery_that_is_cancelled_on_its_way_ends_its_span():
    async def forever(*_):
        await asyncio.sleep(3600)

    endpoint = surehook.Endpoint(provider="own", signature_verifier=forever, name="cancelled")

    async def cancel():
        task = asyncio.create_task(
            endpoint.begin_async(method="POST", path="/", headers=[], body=b"{}", request=None)
        )
        await asyncio.sleep(0)
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task

    asyncio.run(cancel())
    span = Spans()["process own"]
    assert span.attributes["error.type"].endswith("CancelledError")


WITHOUT_API = """if True:
    import json, sys

    class Blocked:
        def find_spec(self, name, path=None, target=None):
            if name.partition(".")[0] == "opentelemetry":
                raise ImportError("not installed here")

    sys.meta_path.insert(0, Blocked())
    from signing import SECRET, event, signed
    import surehook
    from surehook import testing

    endpoint = surehook.Endpoint(provider="clerk", tracing="parent")
    body = event()
    headers = [(name.encode(), value.encode()) for name, value in signed(body).items()]
    with testing.capture() as captured:
        delivery = endpoint.begin(method="POST", path="/", headers=headers, body=body.encode())
        with delivery.current():
            told = delivery._native.attributes()
        delivery.finish(status=200, headers=[], body=b"")
        loaded = [name for name in sys.modules if name.startswith("opentelemetry")]
        print(json.dumps([captured.one()["outcome"], told, loaded]))
"""


def test_without_the_api_nothing_is_traced_and_nothing_computed(tmp_path):
    env = environment({"PYTHONPATH": str(HERE)})
    done = subprocess.run([sys.executable, "-c", WITHOUT_API], env=env, capture_output=True, check=True)
    assert json.loads(done.stdout) == ["processed", [], []]
