"""Deliveries without a server. It needs nothing but Surehook, so that any interpreter can run it."""

import os
from collections.abc import Iterator

import surehook
from surehook import testing


def deliveries(name: str, count: int, **options) -> Iterator[surehook.Delivery]:
    """New ones, at an endpoint of that name."""
    endpoint = surehook.Endpoint(provider="clerk", name=name, **options)
    for number in range(count):
        event = {"type": "user.created", "data": {"id": f"user_{number}"}}
        request = testing.signed("clerk", event, secret=os.environ["CLERK_WEBHOOK_SIGNING_SECRET"])
        headers = [(key.encode(), value.encode()) for key, value in request.headers.items()]
        delivery = endpoint.begin(method="POST", path="/", headers=headers, body=request.body)
        assert isinstance(delivery, surehook.Delivery)
        yield delivery


def deliver(name: str, count: int, **options) -> None:
    """So many that are processed."""
    for delivery in deliveries(name, count, **options):
        delivery.finish(status=200, headers=[], body=b"ok")
