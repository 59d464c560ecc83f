"""What names event types: a type names its actions, and what is not listed is told."""

import hashlib
import hmac
import logging

import pytest

import surehook
from surehook import testing

KEY = "0123456789abcdef0123456789abcdef"


def github(**options: object) -> surehook.Endpoint:
    return surehook.Endpoint(provider="github", signature_secret=KEY, **options)


def begin(endpoint: surehook.Endpoint, body: bytes, event: str) -> surehook.Delivery:
    signature = hmac.new(KEY.encode(), body, hashlib.sha256).hexdigest()
    headers = [(b"x-hub-signature-256", f"sha256={signature}".encode()), (b"x-github-event", event.encode())]
    delivery = endpoint.begin(method="POST", path="/", headers=headers, body=body)
    assert isinstance(delivery, surehook.Delivery)
    return delivery


@pytest.mark.parametrize(
    ("pattern", "outcome"),
    [
        ("pull_request", "ignored"),
        ("pull_request.closed", "ignored"),
        ("pull_request.*", "ignored"),
        ("pull_*", "ignored"),
        ("pull_request.opened", "processed"),
        ("pull_request_review", "processed"),
    ],
)
def test_a_pattern_names_a_type_with_its_action(pattern, outcome):
    endpoint = github(ignore=[pattern], name=f"patterns {pattern}")
    with testing.capture() as captured:
        delivery = begin(endpoint, b'{"action":"closed"}', "pull_request")
        assert delivery.event_type == "pull_request.closed"
        delivery.finish(status=200, headers=[], body=b"")
        assert captured.one()["outcome"] == outcome


@pytest.mark.parametrize(
    ("provider", "pattern", "closest"),
    [
        ("shopify", "order/*", "orders/*"),
        ("shopify", "orders/payed", "orders/paid"),
        ("github", "pull_requests", "pull_request"),
    ],
)
def test_a_pattern_that_names_no_listed_type_is_a_warning_with_the_closest(
    provider, pattern, closest, caplog
):
    caplog.set_level(logging.WARNING, logger="surehook")
    surehook.Endpoint(provider=provider, signature_secret=KEY, steps={pattern: ["sync"]})
    assert any(f'"{pattern}"' in line and f'"{closest}"' in line for line in caplog.messages)
    caplog.clear()
    surehook.Endpoint(provider=provider, signature_secret=KEY, steps={closest: ["sync"]})
    assert not caplog.messages


def test_a_pattern_that_ends_in_the_middle_of_a_segment_is_refused():
    with pytest.raises(surehook.ConfigurationError, match="orders/"):
        github(ignore=["order*"])
