"""The same in Django, for `manage.py runserver`: `python ends_django.py runserver ...`."""

import os
import signal
import sys

from django.conf import settings
from django.http import HttpResponse
from django.urls import path

settings.configure(
    ALLOWED_HOSTS=["*"],
    DEBUG=True,
    INSTALLED_APPS=["surehook.django"],
    ROOT_URLCONF=__name__,
    SECRET_KEY="only tests may know",
    SUREHOOK={},
)

from django.core.management import execute_from_command_line

from surehook.django import with_webhook_monitoring


@with_webhook_monitoring(provider="clerk", name="hooks-plain")
def plain(request):
    return HttpResponse()


urlpatterns = [path("hooks/plain", plain)]

if __name__ == "__main__":
    if "RECIPE" in os.environ:
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    execute_from_command_line(sys.argv)
