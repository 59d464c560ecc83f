"""Whoever signs with another secret is another sender, whatever the endpoints are called."""

import asyncio
import subprocess
import sys
import textwrap

import flask
import pytest
from servers import environment
from signing import OTHER_SECRET, SECRET, event, new_id, signed
from sqlalchemy import create_engine
from sqlalchemy.orm import sessionmaker

import surehook
from surehook import Delivery, Endpoint
from surehook.flask import with_webhook_monitoring
from surehook.sqlalchemy import SessionStore, messages
from surehook.testing import capture


def begin(endpoint, body, message_id, secret=SECRET):
    pairs = signed(body, message_id=message_id, secret=secret).items()
    headers = [(name.encode(), value.encode()) for name, value in pairs]
    return endpoint.begin(method="POST", path="/", headers=headers, body=body.encode())


def handle(endpoint, body, message_id, secret=SECRET) -> bool:
    """Whether the handler ran."""
    decision = begin(endpoint, body, message_id, secret)
    if isinstance(decision, Delivery):
        decision.finish(status=200, headers=[], body=b"done")
        return True
    assert decision.status == 200
    return False


def test_two_routes_of_one_provider_both_get_a_message_that_both_are_sent():
    app = flask.Flask(__name__)
    ran = []

    def route(path, secret):
        @app.post(path, endpoint=path)
        @with_webhook_monitoring(provider="clerk", signature_secret=secret)
        def view():
            ran.append(path)
            return {"by": path}

    route("/customers", SECRET)
    route("/staff", OTHER_SECRET)
    client, body, message_id = app.test_client(), event(), new_id()
    for path, secret in [("/customers", SECRET), ("/staff", OTHER_SECRET)] * 2:
        answer = client.post(path, data=body, headers=signed(body, message_id=message_id, secret=secret))
        assert answer.json == {"by": path}
    assert ran == ["/customers", "/staff"]


def test_applications_on_one_store_share_nothing_and_a_rotation_runs_nothing_twice(store):
    name, body, message_id = new_id(), event(), new_id()

    def application(*secrets):
        return Endpoint(provider="clerk", signature_secret=list(secrets), name=name, dedup=store)

    mine, theirs = application(SECRET), application(OTHER_SECRET)
    assert handle(mine, body, message_id)
    assert handle(theirs, body, message_id, OTHER_SECRET)
    assert not handle(mine, body, message_id)

    name, rotated = new_id(), new_id()
    old, both, new = (
        application(SECRET),
        application(OTHER_SECRET, SECRET),
        application(OTHER_SECRET),
    )
    assert handle(old, body, rotated)
    assert not handle(both, body, rotated, OTHER_SECRET)
    assert not handle(new, body, rotated, OTHER_SECRET)


def test_a_namespace_keeps_apart_what_signs_alike(tmp_path):
    url, body, message_id = f"sqlite://{tmp_path}/dedup.db", event(), new_id()
    for options in ({}, {"namespace": "shop"}, {"dedup": f"{url}?namespace=blog"}):
        endpoint = Endpoint(**{"provider": "clerk", "signature_secret": SECRET, "dedup": url, **options})
        assert handle(endpoint, body, message_id)
        assert not handle(endpoint, body, message_id)
    with pytest.raises(surehook.ConfigurationError, match="namespace"):
        Endpoint(provider="clerk", signature_secret=SECRET, namespace="")


def test_the_applications_own_store_keeps_senders_apart_too(tmp_path):
    engine = create_engine(f"sqlite:///{tmp_path}/application.db")
    messages.create(engine)
    store = SessionStore(sessionmaker(engine))
    body, message_id = event(), new_id()
    mine = Endpoint(provider="clerk", signature_secret=SECRET, dedup=store)
    theirs = Endpoint(provider="clerk", signature_secret=OTHER_SECRET, dedup=store)
    assert handle(mine, body, message_id)
    assert handle(theirs, body, message_id, OTHER_SECRET)
    assert not handle(mine, body, message_id)
    assert store.remove_expired() == 0
    engine.dispose()


def test_a_tag_is_not_made_on_the_event_loop(tmp_path):
    endpoint = Endpoint(provider="clerk", signature_secret=SECRET, dedup=f"sqlite://{tmp_path}/dedup.db")
    body = event()
    headers = [(name.encode(), value.encode()) for name, value in signed(body).items()]

    async def first() -> object:
        return await endpoint.begin_async(method="POST", path="/", headers=headers, body=body.encode())

    delivery = asyncio.run(first())
    assert isinstance(delivery, Delivery)
    delivery.finish(status=200, headers=[], body=b"")


def verified(name, said):
    return Endpoint(provider="acme", name=name, signature_verifier=lambda _request, _body, _headers: said)


def by(endpoint):
    return endpoint.begin(method="POST", path="/", headers=[], body=b"{}")


def test_a_verifier_of_ones_own_may_name_the_sender():
    name = new_id()
    for said in ({"id": "1", "sender": "a"}, {"id": "1", "sender": "b"}, {"id": "1"}, {"sender": "a"}):
        decision = by(verified(name, said))
        assert isinstance(decision, Delivery), said
        decision.finish(status=200, headers=[], body=b"")
    for said in ({"id": "1", "sender": "b"}, "1", {"id": "1", "sender": None}):
        assert by(verified(name, said)).status == 200, said


@pytest.mark.parametrize(
    "said", [{}, {"id": None}, {"id": ""}, {"sender": 1}, {"id": "1", "tenant": "a"}, ["1", "a"]]
)
def test_what_no_verifier_can_mean_refuses(said):
    assert by(verified(new_id(), said)).status == 401


def test_an_id_of_ones_own_verifier_counts_as_signed():
    said = {"id": "1"}
    endpoint = Endpoint(provider="github", name=new_id(), signature_verifier=lambda _r, _b, _h: said["id"])
    for runs, body in [(True, b'{"a": 1}'), (False, b'{"a": 1}')]:
        decision = endpoint.begin(method="POST", path="/", headers=[], body=body)
        assert isinstance(decision, Delivery) is runs
        if runs:
            decision.finish(status=200, headers=[], body=b"")
    said["id"] = "2"
    assert isinstance(endpoint.begin(method="POST", path="/", headers=[], body=b'{"a": 1}'), Delivery)


def test_a_message_of_a_store_in_memory_can_be_let_run_again():
    body, message_id = event(), new_id()
    endpoint = Endpoint(provider="clerk", signature_secret=SECRET, name=new_id())
    assert endpoint.forget(message_id) is False
    assert handle(endpoint, body, message_id)
    assert not handle(endpoint, body, message_id)
    assert endpoint.forget(message_id) is True
    assert handle(endpoint, body, message_id)

    with capture() as captured:
        assert not handle(endpoint, body, message_id)
        (attempt,) = captured.attempts
    assert endpoint.forget(dedup_key=attempt["dedup"]["key"]) is True
    assert handle(endpoint, body, message_id)


@pytest.mark.parametrize("names", [{}, {"id": "1", "dedup_key": "2"}])
def test_a_message_to_be_forgotten_has_one_name(names):
    with pytest.raises(TypeError):
        Endpoint(provider="clerk", signature_secret=SECRET).forget(**names)


@pytest.mark.parametrize(
    ("provider", "names"),
    [("github", {"id": "1"}), ("clerk", {"dedup_key": "canary"}), ("clerk", {"dedup_key": ""})],
)
def test_what_names_no_message_is_a_configuration_error(provider, names):
    endpoint = Endpoint(provider=provider, signature_secret=SECRET)
    with pytest.raises(surehook.ConfigurationError) as raised:
        endpoint.forget(**names)
    assert "canary" not in str(raised.value)


PROGRAM = """
from surehook._service import package

print(package())
"""


@pytest.mark.parametrize(
    ("project", "settings", "name"),
    [
        ('[project]\nname = "shop"\n', None, "shop"),
        ("[build-system]\nname = 'no'\n[tool.poetry]\nname = 'shop'\n", None, "shop"),
        ("[tool.ruff]\n", None, "None"),
        ('[project]\nname = "other"\n', "shop.settings", "shop"),
    ],
)
def test_a_project_names_its_application_wherever_it_is_started(tmp_path, project, settings, name):
    (tmp_path / "pyproject.toml").write_text(project)
    code = tmp_path / "src" / "web"
    code.mkdir(parents=True)
    (code / "app.py").write_text(textwrap.dedent(PROGRAM))
    variables = environment({}) | ({"DJANGO_SETTINGS_MODULE": settings} if settings else {})
    found = subprocess.run(
        [sys.executable, str(code / "app.py")],
        cwd="/",
        env=variables,
        capture_output=True,
        text=True,
        check=True,
    )
    assert found.stdout.strip() == name
