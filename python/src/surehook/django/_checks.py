"""What ``manage.py check`` says of the project's webhooks."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from typing import Any
from weakref import WeakSet

from django.core.checks import CheckMessage, Warning, register
from django.urls import get_resolver

from surehook import ConfigurationError, Endpoint

_endpoints: WeakSet[Endpoint] = WeakSet()


def watch(endpoint: Endpoint) -> None:
    """Make an endpoint one of those that are checked."""
    _endpoints.add(endpoint)


@register("surehook")
def check_secrets(app_configs: Sequence[Any] | None = None, **_: Any) -> list[CheckMessage]:
    """One warning for each endpoint without a secret.

    It is no error: ``migrate`` and ``test`` run the checks too, on machines that have no secrets.
    """
    with contextlib.suppress(Exception):  # Django's own check tells what is wrong with the URLs
        get_resolver().check()  # it imports the views
    found = []
    for endpoint in sorted(_endpoints, key=lambda endpoint: endpoint.name):
        try:
            endpoint.check()
        except ConfigurationError as error:
            hint = "Until there is one, its webhooks are answered with 503, and the provider tries again."
            found.append(Warning(f"{endpoint.name}: {error}", hint=hint, obj=endpoint, id="surehook.W001"))
    return list(found)
