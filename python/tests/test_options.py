"""The options that change what a route does, on both kinds of server."""

import pytest
from servers import HTTP
from signing import event, new_id, signed


@pytest.fixture(params=["fastapi_server", "flask_server", "django_server"])
def url(request) -> str:
    return request.getfixturevalue(request.param).url


def post(url, body, message_id=None, **extra):
    return HTTP.post(url, content=body, headers=signed(body, message_id=message_id) | extra)


def test_the_key_function_sees_request_body_and_headers_and_makes_the_key(url):
    body = event(entity=new_id())
    first = post(f"{url}/hooks/keyed", body, **{"X-Tenant": "acme"})
    assert first.json() == {"run": 1}
    same_key = post(f"{url}/hooks/keyed", body, **{"X-Tenant": "acme"})
    assert same_key.headers["idempotent-replayed"] == "true"
    assert "idempotent-replayed" not in post(f"{url}/hooks/keyed", body, **{"X-Tenant": "other"}).headers


def test_a_key_function_that_raises_leaves_the_providers_id(url):
    body, message_id = event(), new_id()
    assert post(f"{url}/hooks/keyed", body, message_id).status_code == 200  # no x-tenant: it raises KeyError
    assert post(f"{url}/hooks/keyed", body, message_id).headers["idempotent-replayed"] == "true"


@pytest.mark.parametrize(
    ("marks", "status"),
    [
        ([["step", "create_profile"], ["processed"]], 200),
        ([["processed"]], 500),
        ([["step", "create_profile"]], 500),
        ([], 500),
        ([["failed", "no such plan"]], 200),
    ],
)
def test_a_silent_drop_is_turned_into_500_where_asked_for(url, marks, status):
    assert post(f"{url}/hooks/marked", event(do=marks)).status_code == status
