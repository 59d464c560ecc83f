"""A Django project in one file, with the routes of the Flask application; each view is sync and async."""

import asyncio
import hashlib
import json
import threading
from collections import Counter
from pathlib import Path

import django
from django.conf import settings
from django.http import FileResponse, Http404, HttpResponse, JsonResponse, StreamingHttpResponse
from django.urls import path
from django.views import View

settings.configure(
    ALLOWED_HOSTS=["*"],
    INSTALLED_APPS=["surehook.django"],
    MIDDLEWARE=["django.middleware.common.CommonMiddleware", "django.middleware.csrf.CsrfViewMiddleware"],
    ROOT_URLCONF=__name__,
    SECRET_KEY="only tests may know",
    SUREHOOK={},
    TEMPLATES=[
        {"BACKEND": "django.template.backends.django.DjangoTemplates", "DIRS": [Path(__file__).parent]}
    ],
)
django.setup()

from django.core.asgi import get_asgi_application
from django.core.wsgi import get_wsgi_application
from django.template.response import TemplateResponse
from django.utils.decorators import method_decorator

import surehook
from surehook.django import with_webhook_monitoring

runs: Counter[str] = Counter()
lock = threading.Lock()
gate = threading.Event()


def count(delivery) -> int:
    with lock:
        runs[delivery.message_id] += 1
        return runs[delivery.message_id]


def plain(request, delivery):
    run = count(delivery)
    try:
        entity = json.loads(request.body)["data"]["id"]
    except (ValueError, TypeError, KeyError):
        entity = None
    return JsonResponse({"sha256": hashlib.sha256(request.read()).hexdigest(), "run": run, "entity": entity})


def text(request):
    run = count(surehook.current_delivery())
    response = HttpResponse(
        f"r\u00e9ponse {run}\n", "text/x-answer; charset=utf-8", 202, headers={"x-private": "no"}
    )
    response.set_cookie("session", "1")
    return response


def failing(request, delivery):
    count(delivery)
    raise RuntimeError("the database is away")


def refusing(request, delivery):
    count(delivery)
    raise Http404("no such user")


def waiting(request, delivery):
    run = count(delivery)
    gate.wait(30)
    return JsonResponse({"run": run})


def streaming(request, delivery):
    count(delivery)
    return StreamingHttpResponse((b"x" * 1000 for _ in range(100)), content_type="application/octet-stream")


def keyed(request, delivery):
    return JsonResponse({"run": count(delivery)})


def marked(request, delivery):
    for action in json.loads(request.body)["data"]["do"]:
        getattr(delivery, action[0])(*action[1:])
    return JsonResponse({"run": count(delivery)})


def nothing_returned(request, delivery):
    count(delivery)


def later(view):
    """The same view, async. One that waits does so beside the event loop."""
    if view is waiting:

        async def asynchronous(request, delivery):
            return await asyncio.to_thread(waiting, request, delivery)
    elif view is text:

        async def asynchronous(request):
            return text(request)
    else:

        async def asynchronous(request, delivery):
            return view(request, delivery)

    return asynchronous


OPTIONS = {
    keyed: {
        "idempotency_key": lambda request, body, headers: (
            body["data"]["id"] + headers["x-tenant"] + request.method
        )
    },
    marked: {
        "require_processing_mark": True,
        "on_silent_drop": "retry",
        "steps": {"user.created": ["create_profile"]},
    },
}


def routes(view):
    options = {"provider": "clerk", "max_body_bytes": 100_000, **OPTIONS.get(view, {})}
    name = view.__name__
    yield path(f"hooks/{name}", with_webhook_monitoring(name=f"hooks-{name}", **options)(view))
    yield path(f"async/{name}", with_webhook_monitoring(name=f"async-{name}", **options)(later(view)))


RETURNS = {
    "text": lambda request: HttpResponse("text"),
    "json": lambda request: JsonResponse([1, 2], safe=False),
    "created": lambda request: HttpResponse(b"made", status=201, headers={"location": "/users/1"}),
    "nothing": lambda request: HttpResponse(status=204),
    "template": lambda request: TemplateResponse(
        request, "answer.txt", {"who": "ada"}, content_type="text/plain"
    ),
    "file": lambda request: FileResponse(Path(__file__).open("rb")),  # noqa: SIM115
    "redirect": lambda request: HttpResponse(status=302, headers={"location": "/elsewhere"}),
}


def bare(request, kind):
    return RETURNS[kind](request)


bare.csrf_exempt = True


@with_webhook_monitoring(provider="clerk", name="returns")
def returns(request, kind):
    return RETURNS[kind](request)


@method_decorator(with_webhook_monitoring(provider="clerk", name="class"), name="dispatch")
class Hooks(View):
    def post(self, request):
        return JsonResponse({"run": count(surehook.current_delivery())})


class LaterHooks(View):
    async def post(self, request):
        return JsonResponse({"run": count(surehook.current_delivery())})


@with_webhook_monitoring(provider="clerk", name="hooks-consumed")
def consumed(request):
    raise AssertionError


def parsed_before(request):
    """A form parser that was here before the wrapper."""
    request.POST.get("anything")
    return consumed(request)


parsed_before.csrf_exempt = True


def all_runs(request):
    return JsonResponse(runs)


def open_gate(request):
    gate.set()
    return HttpResponse()


def shut_gate(request):
    gate.clear()
    return HttpResponse()


def unguarded(request):
    return JsonResponse({"body": request.body.decode(), "delivery": surehook.current_delivery() is not None})


def stats(request):
    found = surehook.stats()
    counts = {"recorded": found.recorded, "stored": found.stored, "queued": found.queued}
    return JsonResponse({**counts, "dropped": found.dropped})


def guarded_by_csrf(request):
    return HttpResponse("never without a token")


for view in (open_gate, shut_gate, unguarded):
    view.csrf_exempt = True

VIEWS = (plain, text, failing, refusing, waiting, streaming, keyed, marked, nothing_returned)
urlpatterns = [
    *(route for view in VIEWS for route in routes(view)),
    path("hooks/class", Hooks.as_view()),
    path("async/class", with_webhook_monitoring(provider="clerk", name="async-class")(LaterHooks.as_view())),
    path("hooks/consumed", parsed_before),
    path("returns/<kind>", returns),
    path("bare/<kind>", bare),
    path("csrf", guarded_by_csrf),
    path("runs", all_runs),
    path("open", open_gate),
    path("shut", shut_gate),
    path("unguarded", unguarded),
    path("stats", stats),
]

wsgi, asgi = get_wsgi_application(), get_asgi_application()
