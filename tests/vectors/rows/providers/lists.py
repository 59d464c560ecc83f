"""Providers that send several signatures: lists of pairs, and numbered headers."""

from ..table import Table
from . import messages
from .row import accept, refuse
from .senders import Sender

PAIRS = (messages.STRIPE, messages.PADDLE, messages.PAGERDUTY)
MOST = 64


def add(table: Table) -> None:
    for sender in PAIRS:
        _places(table, sender)
    _limits(table)
    _forms(table)
    _numbered(table)


def _entries(sender: Sender) -> tuple[str, str, str, str]:
    """The header's name, its first part, a right entry and a wrong one."""
    [(name, template)] = sender.headers
    good = sender.request
    first, separator, key = template.format(timestamp=good.timestamp, signature="").rpartition(_separator(sender))
    wrong = good.but(secret=sender.other_secret).signature()
    return name, first + separator, key + good.signature(), key + wrong


def _separator(sender: Sender) -> str:
    return ";" if sender is messages.PADDLE else ","


def _header(sender: Sender, entries: list[str]) -> list[tuple[str, str]]:
    name, first, _, _ = _entries(sender)
    return [(name, first + _separator(sender).join(entries))]


def _places(table: Table, sender: Sender) -> None:
    _, _, right, wrong = _entries(sender)
    lists = {"first": [right, wrong], "last": [wrong, right], "last-of-64": [wrong] * (MOST - 1) + [right]}
    for place, entries in lists.items():
        accept(
            table,
            f"{sender.provider}-list-{place}",
            "A sender signs with the old secret and the new one while they are exchanged.",
            "provider list rotation",
            sender.request,
            headers=_header(sender, entries),
        )
    refuse(
        table,
        f"{sender.provider}-list-all-wrong",
        "None of them is right.",
        "list wrong_mac",
        "signature_mismatch",
        sender.request,
        headers=_header(sender, [wrong] * 3),
    )
    refuse(
        table,
        f"{sender.provider}-list-of-65",
        "A right one in the 65th place: the list is too long.",
        "list limit",
        "too_many_signatures",
        sender.request,
        headers=_header(sender, [wrong] * MOST + [right]),
    )


def _limits(table: Table) -> None:
    name, first, right, _ = _entries(messages.STRIPE)
    stripe = messages.STRIPE.request
    padding = ",v0=" + "0" * 8192
    refuse(
        table,
        "stripe-list-over-8-kib",
        "Too long, whatever is in it.",
        "list limit",
        "too_many_signatures",
        stripe,
        headers=[(name, first + right + padding)],
    )
    exact = first + right + ",v0="
    accept(
        table,
        "stripe-list-of-8-kib",
        "As long as may be.",
        "provider list limit",
        stripe,
        headers=[(name, exact + "0" * (8192 - len(exact)))],
    )


def _forms(table: Table) -> None:
    name, first, right, _ = _entries(messages.STRIPE)
    stripe = messages.STRIPE.request
    value = right.partition("=")[2]
    accepted = {
        "other-scheme-beside": first + f"v0={value}," + right,
        "unreadable-beside": first + "v1=zz,v1=," + right,
        "timestamp-last": right + "," + first.rstrip(","),
        "nameless-part": first + "junk," + right,
    }
    for kind, text in accepted.items():
        accept(
            table,
            f"stripe-list-{kind}",
            "What cannot be read, or is of another scheme, is skipped.",
            "provider list",
            stripe,
            headers=[(name, text)],
        )
    disagreed = {
        "one-space": (first + " " + right, "WorkOS writes its list so; a space says nothing about the signature."),
        "key-without-a-value": (first + "v1," + right, "Not a pair, so it is skipped."),
        "time-without-a-value": (first + "t," + right, "Not a pair, so it is skipped."),
    }
    for kind, (text, comment) in disagreed.items():
        accept(table, f"stripe-list-{kind}", comment, "list disagreement", stripe, headers=[(name, text)])
    refused = {
        "no-signature": (first.rstrip(","), "Only a timestamp."),
        "unreadable-alone": (first + "v1=zz,v1=", "No entry can be read."),
        "key-with-more": (first + f"v1a={value}", "Keys are compared whole."),
        "key-in-capitals": (first + f"V1={value}", "Keys are compared whole."),
        "two-spaces": (first + f"  v1={value}", "One space may be there, two may not."),
        "space-before-equals": (first + f"v1 ={value}", "Keys are compared whole."),
        "semicolons": (first.replace(",", ";") + right, "Parted by commas, not by semicolons."),
        "split-in-two": (first + f"v1={value[:32]},v1={value[32:]}", "The halves of the right one in two entries."),
        "quoted": (first + f'v1="{value}"', "Quotes are no hexadecimal."),
        "second-equals-sign": (first + f"v1={value}=junk", "A value goes to the next comma."),
    }
    versions = {
        "other-scheme-alone": (first + f"v0={value}", "Stripe signs test events with v0, too; nobody checks that."),
        "two-other-schemes": (first + f"v0={value},v2={value}", "Versions that are not known."),
    }
    for kind, (text, comment) in versions.items():
        refuse(table, f"stripe-list-{kind}", comment, "list", "no_supported_version", stripe, headers=[(name, text)])
    garbage = {
        "garbage": "garbage",
        "empty": "",
        "only-commas": ",,,",
        "an-entry-of-svix": f"v1,{value}",
        "unknown-keys": "a=1,b=2",
        "a-bare-signature": value,
    }
    for kind, text in garbage.items():
        comment = "Nothing of Stripe's list can be read."
        refuse(table, f"stripe-list-{kind}", comment, "list", "malformed_signature", stripe, headers=[(name, text)])
    for kind, text in {"a-signature": right, "another-version": f"v0={value}"}.items():
        comment = "A list without its time."
        row_id = f"stripe-list-only-{kind}"
        refuse(table, row_id, comment, "list timestamp", "malformed_timestamp", stripe, headers=[(name, text)])
    for kind, (text, comment) in refused.items():
        # With semicolons the whole is one pair: a timestamp of an odd form.
        code = "malformed_timestamp" if kind == "semicolons" else "malformed_signature"
        refuse(table, f"stripe-list-{kind}", comment, "list", code, stripe, headers=[(name, text)])
    refuse(
        table,
        "paddle-parted-by-commas",
        "Paddle parts its pairs by semicolons.",
        "list",
        "malformed_timestamp",
        messages.PADDLE.request,
        headers=[("paddle-signature", messages.PADDLE.request.sent_headers()[0][1].replace(";", ","))],
    )


def _numbered(table: Table) -> None:
    docusign = messages.DOCUSIGN.request
    right = docusign.signature()
    wrong = docusign.but(secret=messages.DOCUSIGN.other_secret).signature()
    accepted = {
        "second": {1: wrong, 2: right},
        "hundredth": dict.fromkeys(range(1, 100), wrong) | {100: right},
        "with-a-gap": {1: wrong, 7: right},
        "after-an-unreadable-one": {1: "?", 2: right},
    }
    for kind, signatures in accepted.items():
        accept(
            table,
            f"docusign-{kind}",
            "One header for each key of the account, up to a hundred.",
            "provider list rotation",
            docusign,
            headers=_numbered_headers(signatures),
        )
    refuse(
        table,
        "docusign-two-wrong",
        "None of them is right.",
        "list wrong_mac",
        "signature_mismatch",
        docusign,
        headers=_numbered_headers({1: wrong, 2: wrong}),
    )
    refuse(
        table,
        "docusign-right-one-as-the-101st",
        "The numbers go from 1 to 100.",
        "list limit",
        "signature_mismatch",
        docusign,
        headers=_numbered_headers({1: wrong, 101: right}),
    )
    refuse(
        table,
        "docusign-second-number-twice",
        "A repeated header is refused, whatever its values.",
        "list headers",
        "duplicate_header",
        docusign,
        headers=_numbered_headers({1: right, 2: wrong}) + _numbered_headers({2: wrong}),
    )


def _numbered_headers(signatures: dict[int, str]) -> list[tuple[str, str]]:
    return [(f"x-docusign-signature-{number}", text) for number, text in signatures.items()]
