"""Django with its compressing middleware; and with a decorator that compresses inside of ours."""

import os

import django
from django.conf import settings
from django.http import HttpResponse
from django.urls import path

settings.configure(
    ALLOWED_HOSTS=["*"],
    INSTALLED_APPS=["surehook.django"],
    MIDDLEWARE=[] if "INSIDE" in os.environ else ["django.middleware.gzip.GZipMiddleware"],
    ROOT_URLCONF=__name__,
    SECRET_KEY="only tests may know",
    SUREHOOK={},
)
django.setup()

from django.core.asgi import get_asgi_application
from django.core.wsgi import get_wsgi_application
from django.views.decorators.gzip import gzip_page

from surehook.django import with_webhook_monitoring


def answer(request):
    return HttpResponse(b"answer " * 300, "text/x-answer", 201, headers={"x-answer": "yes"})


async def later(request):
    return answer(request)


guard = with_webhook_monitoring
urlpatterns = [
    path("decorated", guard(provider="clerk", name="decorated")(answer)),
    path("later", guard(provider="clerk", name="later")(later)),
    path("inside", guard(provider="clerk", name="inside")(gzip_page(answer))),
]
wsgi, asgi = get_wsgi_application(), get_asgi_application()
