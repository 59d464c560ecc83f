"""Every guard of `guards.py` on a sync view and, with an async verifier, on an async one."""

import django
from django.conf import settings
from django.http import JsonResponse
from django.urls import path
from guards import GUARDS, judge, judged

settings.configure(
    ALLOWED_HOSTS=["*"],
    INSTALLED_APPS=["surehook.django"],
    MIDDLEWARE=["django.middleware.csrf.CsrfViewMiddleware"],
    ROOT_URLCONF=__name__,
    SECRET_KEY="only tests may know",
)
django.setup()

from django.core.asgi import get_asgi_application
from django.core.wsgi import get_wsgi_application

from surehook.django import with_webhook_monitoring


async def judge_later(request, body: bytes, headers: dict[str, str]) -> object:
    assert request.body == body
    return judge(request, body, headers)


def view(request, delivery):
    return JsonResponse({"id": delivery.message_id, "type": delivery.event_type, "size": len(request.body)})


async def later(request, delivery):
    return view(request, delivery)


def routes(guard, options):
    now, soon = {}, {}
    if guard == "judged":
        now, soon = {"signature_verifier": judge}, {"signature_verifier": judge_later}
    yield path(f"hooks/{guard}", with_webhook_monitoring(name=f"{guard} hooks", **options, **now)(view))
    yield path(f"async/{guard}", with_webhook_monitoring(name=f"{guard} async", **options, **soon)(later))


def calls_of_the_verifier(request):
    return JsonResponse(judged, safe=False)


urlpatterns = [route for guard, options in GUARDS.items() for route in routes(guard, options)]
urlpatterns.append(path("judged", calls_of_the_verifier))

wsgi, asgi = get_wsgi_application(), get_asgi_application()
