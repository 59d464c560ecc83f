"""The table of handled messages: see ``surehook.django.ModelStore``."""

from __future__ import annotations

from datetime import datetime

from django.db import models


class Message(models.Model):
    """What is remembered of a message. Its value is read and written as a whole by Surehook alone."""

    key: models.CharField[str, str] = models.CharField(max_length=64, primary_key=True)
    value: models.BinaryField[bytes, bytes] = models.BinaryField()
    expires_at: models.DateTimeField[datetime, datetime] = models.DateTimeField(db_index=True)

    class Meta:
        """The same table as in every other framework."""

        db_table = "surehook_messages"
