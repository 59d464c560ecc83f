"""The project's own tables."""

from django.db import models


class User(models.Model):
    """A user of Clerk."""

    id = models.TextField(primary_key=True)
    email = models.TextField(null=True)

    class Meta:
        """The name that the other examples use."""

        db_table = "users"


class Session(models.Model):
    """A session of a user, who may be unknown here."""

    id = models.TextField(primary_key=True)
    user_id = models.TextField()

    class Meta:
        """The name that the other examples use."""

        db_table = "sessions"


class Organization(models.Model):
    """An organization; its owner is a user of this project."""

    id = models.TextField(primary_key=True)
    name = models.TextField(null=True)
    owner = models.ForeignKey(User, models.CASCADE, db_column="owner")

    class Meta:
        """The name that the other examples use."""

        db_table = "organizations"
