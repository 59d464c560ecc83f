"""The same in Django: sync and async views, on either kind of server."""

import django
from django.conf import settings
from django.http import HttpResponse
from django.urls import path

settings.configure(
    ALLOWED_HOSTS=["*"],
    INSTALLED_APPS=["surehook.django"],
    ROOT_URLCONF=__name__,
    SECRET_KEY="only tests may know",
    SUREHOOK={},
)
django.setup()

from django.core.asgi import get_asgi_application
from django.core.wsgi import get_wsgi_application
from django.views import View
from patience import OPTIONS, brief_later, work, work_later

from surehook import current_delivery
from surehook.django import with_webhook_monitoring


def guarded(name, view):
    return path(name, with_webhook_monitoring(**{**OPTIONS, "name": name})(view))


async def later(request, delivery):
    return HttpResponse(await work_later(delivery.message_id))


def sync(request, delivery):
    return HttpResponse(work(delivery.message_id))


async def brief(request, delivery):
    return HttpResponse(await brief_later(delivery.message_id))


class Later(View):
    async def post(self, request):
        return HttpResponse(await work_later(current_delivery().message_id))


urlpatterns = [
    guarded("later", later),
    guarded("sync", sync),
    guarded("brief", brief),
    guarded("class", Later.as_view()),
]
wsgi, asgi = get_wsgi_application(), get_asgi_application()
