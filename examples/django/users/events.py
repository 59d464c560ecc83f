"""What each Clerk event does to the tables."""

from collections.abc import Callable
from typing import Any

from users.models import Organization, Session, User

Fields = dict[str, Any]


def apply_event(event: dict[str, Any]) -> None:
    """Write what an event says; types that this project has no use for are let pass."""
    change = CHANGES.get(event["type"])
    if change is not None:
        change(event["data"])


def primary_email(data: Fields) -> str | None:
    """The user's main e-mail address."""
    addresses = {
        address["id"]: address["email_address"]
        for address in data.get("email_addresses", [])
    }
    return addresses.get(
        data.get("primary_email_address_id"), next(iter(addresses.values()), None)
    )


CHANGES: dict[str, Callable[[Fields], object]] = {
    "user.created": lambda data: User.objects.create(
        id=data["id"], email=primary_email(data)
    ),
    "user.updated": lambda data: User.objects.filter(id=data["id"]).update(
        email=primary_email(data)
    ),
    "user.deleted": lambda data: User.objects.filter(id=data["id"]).delete(),
    "session.created": lambda data: Session.objects.create(
        id=data["id"], user_id=data["user_id"]
    ),
    "organization.created": lambda data: Organization.objects.create(
        id=data["id"], name=data["name"], owner_id=data["created_by"]
    ),
}
