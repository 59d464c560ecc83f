"""The Django application: starts Surehook with the settings of the project."""

from __future__ import annotations

from django.apps import AppConfig
from django.conf import settings
from django.utils.module_loading import import_string

from surehook import init


class SurehookConfig(AppConfig):
    """Starts Surehook with ``SUREHOOK = {"api_key": ..., "endpoint": ...}``, or with the environment.

    It takes all that ``surehook.init`` takes; ``before_send`` may be the dotted path of a function.
    """

    name = "surehook.django"
    label = "surehook"
    verbose_name = "Surehook"

    def ready(self) -> None:
        """Start; the first webhook opens the first connection."""
        options = dict(getattr(settings, "SUREHOOK", {}))
        if isinstance(options.get("before_send"), str):
            options["before_send"] = import_string(options["before_send"])
        init(**options)
