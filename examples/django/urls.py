"""Where everything is."""

from django.urls import path
from users.views import clerk_webhook, healthz

urlpatterns = [
    path("api/webhooks/clerk", clerk_webhook),
    path("healthz", healthz),
]
