"""Verify, de-duplicate and watch webhook deliveries inside your own handler.

import surehook
from surehook.fastapi import with_webhook_monitoring

surehook.init()

@app.post("/api/webhooks/clerk")
@with_webhook_monitoring(provider="clerk")
async def clerk(request: Request): ...
"""

from surehook import _interpreter as _interpreter  # before anything native: it refuses subinterpreters

# isort: split
from surehook._apart import run_apart
from surehook._application_store import ApplicationStore, ApplicationTransaction
from surehook._client import Stats, flush, init, shutdown, stats
from surehook._deferred import DeferredDelivery, deferred
from surehook._delivery import Answer, Delivery, current_delivery
from surehook._endpoint import STORED_BODY_LIMIT, DedupCounts, Endpoint, EndpointOptions, MissingBody
from surehook._exit import flush_before_exit
from surehook._native import __version__
from surehook._secret_function import SecretRequest
from surehook._webhook import Verification, Webhook, verify
from surehook.errors import (
    BodyNotJsonError,
    Certainty,
    ConfigurationError,
    Diagnosis,
    Finding,
    ReasonCode,
    SurehookError,
    WebhookVerificationError,
)

__all__ = [
    "STORED_BODY_LIMIT",
    "Answer",
    "ApplicationStore",
    "ApplicationTransaction",
    "BodyNotJsonError",
    "Certainty",
    "ConfigurationError",
    "DedupCounts",
    "DeferredDelivery",
    "Delivery",
    "Diagnosis",
    "Endpoint",
    "EndpointOptions",
    "Finding",
    "MissingBody",
    "ReasonCode",
    "SecretRequest",
    "Stats",
    "SurehookError",
    "Verification",
    "Webhook",
    "WebhookVerificationError",
    "__version__",
    "current_delivery",
    "deferred",
    "flush",
    "flush_before_exit",
    "init",
    "run_apart",
    "shutdown",
    "stats",
    "verify",
]
