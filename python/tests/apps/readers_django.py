"""A Django project in which others read the body before the decorator does; also with the REST framework."""

import os

import django
import sentry_sdk
from django.conf import settings
from django.http import HttpResponse
from django.urls import path

if "SENTRY_DSN" in os.environ:
    sentry_sdk.init(traces_sample_rate=1.0, max_request_body_size="always")

settings.configure(
    ALLOWED_HOSTS=["*"],
    INSTALLED_APPS=["surehook.django"],
    REST_FRAMEWORK={"UNAUTHENTICATED_USER": None, "DEFAULT_AUTHENTICATION_CLASSES": []},
    MIDDLEWARE=[f"{__name__}.reading_first"],
    ROOT_URLCONF=__name__,
    SECRET_KEY="only tests may know",
    SUREHOOK={},
)
django.setup()

from django.core.asgi import get_asgi_application
from django.core.wsgi import get_wsgi_application
from django.utils.decorators import method_decorator
from rest_framework.permissions import BasePermission
from rest_framework.response import Response
from rest_framework.views import APIView

from surehook.django import with_webhook_monitoring

READERS = {
    "body": lambda request: request.body,
    "POST": lambda request: request.POST.get("a"),
    "FILES": lambda request: request.FILES.get("a"),
    "read": lambda request: request.read(),
    "sentry": lambda request: sentry_sdk.capture_message("before the view"),
    "nobody": lambda request: None,
}


def reading_first(get_response):
    def middleware(request):
        READERS.get(request.path.rpartition("/")[2], READERS["nobody"])(request)
        return get_response(request)

    return middleware


def guarded(name):
    return with_webhook_monitoring(provider="clerk", name=name)


def view(request):
    return HttpResponse(request.body)


async def later(request):
    return HttpResponse(request.body)


class ReadsData(BasePermission):
    """Authenticates, throttles or permits by what was sent, before the method is called."""

    def has_permission(self, request, view):
        return request.data is not None


class Outside(APIView):
    """Decorated around `as_view`, where nothing has read yet."""

    permission_classes = (ReadsData,)

    def post(self, request):
        return Response(request.data)


class Inside(APIView):
    @method_decorator(guarded("inside"))
    def post(self, request):
        return Response(request.data)


class InsideAndRead(Inside):
    permission_classes = (ReadsData,)


urlpatterns = [
    *(path(f"kept/{reader}", guarded(f"kept-{reader}")(view)) for reader in READERS),
    *(path(f"later/{reader}", guarded(f"later-{reader}")(later)) for reader in READERS),
    path("kept/rest/outside", guarded("outside")(Outside.as_view())),
    path("kept/rest/inside", Inside.as_view()),
    path("kept/rest/inside/data", InsideAndRead.as_view()),
]
wsgi, asgi = get_wsgi_application(), get_asgi_application()
