"""The Django application: starts Surehook with the settings of the project."""

from __future__ import annotations

from django.apps import AppConfig
from django.conf import settings

from surehook import init


class SurehookConfig(AppConfig):
    """Starts Surehook with ``SUREHOOK = {"api_key": ..., "endpoint": ...}``, or with the environment."""

    name = "surehook.django"
    label = "surehook"
    verbose_name = "Surehook"

    def ready(self) -> None:
        """Start; the first webhook opens the first connection."""
        init(**getattr(settings, "SUREHOOK", {}))
