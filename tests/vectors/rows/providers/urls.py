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
    _decoded(table)
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


def _decoded(table: Table) -> None:
    """HubSpot's rule: the escapes of twelve characters are decoded before the URL is signed, all others stay."""
    hubspot = messages.HUBSPOT.request
    base = URL.partition("?")[0]
    listed = {"%3A": ":", "%2F": "/", "%3F": "?", "%40": "@", "%21": "!", "%24": "$"}
    listed |= {"%27": "'", "%28": "(", "%29": ")", "%2A": "*", "%2C": ",", "%3B": ";"}
    queries = {
        "listed-escapes": ("".join(listed), "".join(listed.values())),
        "small-letters": ("".join(listed).lower(), "".join(listed.values())),
        "another-url": ("https%3A%2F%2Fa.example%2F%3Fx%3D1%26y", "https://a.example/?x%3D1%26y"),
        "escaped-percent": ("%253A%25", "%253A%25"),
        "other-escapes": ("%20%26%3D%23%C3%AB%7B", "%20%26%3D%23%C3%AB%7B"),
        "no-escapes": ("%zz%4", "%zz%4"),
    }
    for kind, (sent, signed) in queries.items():
        request = hubspot.but(url=f"{base}?u={signed}")
        comment = "The escapes that HubSpot lists are decoded once before the URL is signed; all others stay."
        accept(table, f"hubspot-url-{kind}", comment, "url", request, url=f"{base}?u={sent}")
    accept(
        table,
        "hubspot-url-escapes-in-the-path",
        "The whole URL is decoded.",
        "url",
        hubspot.but(url=f"{base}/a:b"),
        url=f"{base}/a%3Ab",
    )
    for kind, (sent, signed) in {
        "not-decoded": ("a%3Ab", "a%3Ab"),
        "decoded-twice": ("a%253Ab", "a:b"),
        "all-decoded": ("a%3Ab%20c", "a:b c"),
    }.items():
        comment = "Signed over another form of the URL than the documented one."
        request = hubspot.but(url=f"{base}?u={signed}")
        row_id = f"hubspot-url-{kind}"
        refuse(table, row_id, comment, "url", "signature_mismatch", request, url=f"{base}?u={sent}")
