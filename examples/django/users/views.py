"""The views of the project."""

import json

from django.http import HttpRequest, JsonResponse
from surehook.django import ModelStore, with_webhook_monitoring

from users.events import apply_event


@with_webhook_monitoring(provider="clerk", dedup=ModelStore())
def clerk_webhook(request: HttpRequest) -> JsonResponse:
    """Runs in a transaction, which is committed once for each message that Clerk signed."""
    apply_event(json.loads(request.body))
    return JsonResponse({"received": True})


def healthz(request: HttpRequest) -> JsonResponse:
    """Not a webhook, and not guarded."""
    return JsonResponse({"status": "ok"})
