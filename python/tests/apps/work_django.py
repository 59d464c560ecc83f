"""Django with the store in its own database."""

import json
import os

import django
from django.conf import settings
from django.http import HttpResponse
from django.urls import path
from sqlalchemy import make_url
from work import INSERT, OPTIONS, TAKEN, row, status

url = make_url(os.environ["DATABASE"])
postgres = url.get_backend_name() == "postgresql"
settings.configure(
    ALLOWED_HOSTS=["*"],
    DATABASES={
        "default": {
            "ENGINE": f"django.db.backends.{'postgresql' if postgres else 'sqlite3'}",
            "NAME": url.database,
            "USER": url.username,
            "PASSWORD": url.password,
            "HOST": url.host,
            "PORT": url.port,
            "ATOMIC_REQUESTS": True,
        }
    },
    INSTALLED_APPS=["surehook.django"],
    ROOT_URLCONF=__name__,
    SECRET_KEY="only tests may know",
    USE_TZ=True,
)
django.setup()

from django.core.management import call_command
from django.core.wsgi import get_wsgi_application
from django.db import IntegrityError, connection, transaction

from surehook.django import ModelStore, with_webhook_monitoring

call_command("makemigrations", "--check", "--dry-run", verbosity=0)
call_command("migrate", verbosity=0)


@with_webhook_monitoring(dedup=ModelStore(), **OPTIONS)
def hooks(request, delivery):
    do = json.loads(request.body)["data"]["do"]
    with connection.cursor() as cursor:
        values = row(delivery.message_id, do)
        cursor.execute(INSERT.replace(":message_id", "%s").replace(":parent", "%s"), list(values.values()))
    if do == "rollback":
        transaction.set_rollback(True)
    if do == "violate and catch":
        try:
            with connection.cursor() as cursor:
                cursor.execute("INSERT INTO names (name) VALUES (%s)", [TAKEN])
        except IntegrityError:
            pass  # and go on, in a transaction that is broken
    return HttpResponse(f"handled {delivery.message_id}", status=status(delivery, do))


urlpatterns = [path("hooks", hooks), path("pid", lambda request: HttpResponse(os.getpid()))]
wsgi = get_wsgi_application()
