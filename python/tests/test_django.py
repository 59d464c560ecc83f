"""What only Django has: its kinds of answers and views, its check against forged requests, its settings."""

import subprocess
import sys

import pytest
from servers import HTTP, environment
from signing import event, new_id, signed

import surehook
from surehook import ConfigurationError
from surehook.django import with_webhook_monitoring


def post(server, path, message_id=None, **options):
    body = event()
    return HTTP.post(
        f"{server.url}{path}", content=body, headers=signed(body, message_id=message_id), **options
    )


KINDS = ["text", "json", "created", "nothing", "template", "file", "redirect"]


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_answer_is_given_as_without_the_wrapper(django_server, kind):
    bare = HTTP.post(f"{django_server.url}/bare/{kind}")
    wrapped = post(django_server, f"/returns/{kind}")
    assert (wrapped.status_code, wrapped.content) == (bare.status_code, bare.content)
    for answer in (bare, wrapped):
        answer.headers.pop("date", None)
    assert wrapped.headers == bare.headers


@pytest.mark.parametrize("kind", ["text", "json", "created", "nothing", "template"])
def test_every_answer_that_can_be_kept_is_replayed_byte_for_byte(django_server, kind):
    message_id = new_id()
    first, retry = (post(django_server, f"/returns/{kind}", message_id) for _ in range(2))
    assert (retry.status_code, retry.content) == (first.status_code, first.content)
    for name in ("content-type", "location", "content-length"):
        assert retry.headers.get(name) == first.headers.get(name)
    assert retry.headers["idempotent-replayed"] == "true"


@pytest.mark.parametrize("prefix", ["hooks", "async"])
@pytest.mark.parametrize("server", ["django_server", "django_async_server"])
def test_sync_and_async_views_run_on_either_kind_of_server(request, server, prefix):
    server = request.getfixturevalue(server)
    for kind in ("plain", "class"):
        message_id = new_id()
        assert post(server, f"/{prefix}/{kind}", message_id).json()["run"] == 1
        assert post(server, f"/{prefix}/{kind}", message_id).headers["idempotent-replayed"] == "true"


def test_djangos_own_check_stands_aside_for_the_guarded_views_only(django_server):
    assert HTTP.post(f"{django_server.url}/csrf").status_code == 403
    assert post(django_server, "/hooks/plain").status_code == 200


@pytest.mark.parametrize("prefix", ["hooks", "async"])
def test_a_view_that_returns_nothing_fails_as_without_the_wrapper(django_server, prefix):
    message_id = new_id()
    for run in (1, 2):
        assert post(django_server, f"/{prefix}/nothing_returned", message_id).status_code == 500
        assert HTTP.get(f"{django_server.url}/runs").json()[message_id] == run


def test_a_body_that_a_form_parser_took_is_refused_with_the_reason_in_the_log(django_server):
    form = {"content-type": "multipart/form-data; boundary=x"}
    body = "--x--"
    answer = HTTP.post(f"{django_server.url}/hooks/consumed", content=body, headers=signed(body) | form)
    assert answer.status_code == 401
    assert "body_unavailable" in django_server.said()


def test_a_body_over_djangos_own_limit_is_handled_where_the_endpoint_takes_it(django_server):
    """`DATA_UPLOAD_MAX_MEMORY_SIZE` is 2.5 MB, and GitHub sends up to 25."""
    body = event(filler="x" * 900_000)
    answer = HTTP.post(f"{django_server.url}/returns/text", content=body, headers=signed(body))
    assert answer.status_code == 200


START = """if True:
    import sys
    import django
    from django.conf import settings
    import surehook
    own = {"api_key": "shk_test", "endpoint": sys.argv[1]}
    settings.configure(INSTALLED_APPS=["surehook.django"], SUREHOOK=own)
    django.setup()
"""


@pytest.mark.parametrize(("endpoint", "starts"), [("http://127.0.0.1:4600", True), ("no URL", False)])
def test_the_application_starts_surehook_with_the_settings(endpoint, starts):
    command = [sys.executable, "-c", START, endpoint]
    done = subprocess.run(command, env=environment({}), capture_output=True, text=True, check=False)
    assert (done.returncode == 0) == starts, done.stderr
    assert "telemetry is off" not in done.stderr
    assert starts or "surehook.errors.ConfigurationError: " in done.stderr


async def judge_later(request, body, headers):
    return True


def test_a_sync_view_refuses_an_async_verifier_when_it_is_built():
    decorate = with_webhook_monitoring(provider="inhouse", signature_verifier=judge_later)
    with pytest.raises(ConfigurationError, match="await") as caught:
        decorate(lambda request: None)
    assert caught.value.code == "invalid_option"


def test_the_wrapped_view_keeps_its_name():
    @with_webhook_monitoring(provider="inhouse", signature_verifier=lambda *_: True)
    def clerk_webhook(request):
        """Keeps users in step."""

    assert (clerk_webhook.__name__, clerk_webhook.__doc__) == ("clerk_webhook", "Keeps users in step.")
    assert surehook.current_delivery() is None
