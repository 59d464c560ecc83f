"""Providers that sign the URL or the method: Square and HubSpot. (Twilio: forms.py.)"""

from ..table import Table
from . import messages
from .row import accept, refuse
from .senders import URL

CHANGED = {
    "host": URL.replace("hooks", "other"),
    "path": URL.replace("/in", "/out"),
    "scheme": URL.replace("https", "http"),
    "port": URL.replace(".com", ".com:443"),
    "query": URL.replace("tenant=7", "tenant=8"),
    "query-added": URL + "&a=b",
    "query-gone": URL.partition("?")[0],
}


def add(table: Table) -> None:
    for sender in (messages.SQUARE, messages.HUBSPOT):
        for kind, url in CHANGED.items():
            refuse(
                table,
                f"{sender.provider}-other-{kind}",
                "The URL is signed as it was called.",
                "url",
                "signature_mismatch",
                sender.request,
                url=url,
            )
        bare = URL.partition("?")[0]
        accept(
            table,
            f"{sender.provider}-without-a-query",
            "A URL without a query is signed without a question mark.",
            "provider url",
            sender.request.but(url=bare),
        )
    hubspot = messages.HUBSPOT.request
    accept(
        table,
        "hubspot-put",
        "The method is signed; HubSpot's workflows can use others than POST.",
        "provider url",
        hubspot.but(method="PUT"),
    )
    refuse(
        table,
        "hubspot-method-changed",
        "The method is signed.",
        "url",
        "signature_mismatch",
        hubspot.but(method="PUT"),
        method="PATCH",
    )
