"""Requests of the providers whose headers are refused before any signature is computed."""

from ..table import Table
from . import messages
from .messages import SIGNED_IN_A_HEADER
from .row import refuse
from .senders import Sender

# Those that write a word before the signature.
PREFIXED = (messages.GITHUB, messages.SLACK, messages.ZOOM, messages.META, messages.INTERCOM, messages.TYPEFORM)


def add(table: Table) -> None:
    for sender in SIGNED_IN_A_HEADER:
        _missing(table, sender)
        _repeated(table, sender)
    for sender in PREFIXED:
        _prefix(table, sender)
    _look_alikes(table)
    _delivery_ids(table)


def _missing(table: Table, sender: Sender) -> None:
    sent = sender.request.sent_headers()
    for name in filter(None, (sender.signature_header, sender.timestamp_header)):
        refuse(
            table,
            f"{sender.provider}-missing-{name}",
            "A header that the check needs.",
            "headers",
            "missing_header",
            sender.request,
            headers=[header for header in sent if header[0] != name],
        )


def _repeated(table: Table, sender: Sender) -> None:
    sent = sender.request.sent_headers()
    for name in filter(None, (sender.signature_header, sender.timestamp_header)):
        twin = next(header for header in sent if header[0] == name)
        refuse(
            table,
            f"{sender.provider}-{name}-twice",
            "A repeated header is refused, whatever its values.",
            "headers",
            "duplicate_header",
            sender.request,
            headers=[*sent, (name.title(), twin[1])],
        )


def _prefix(table: Table, sender: Sender) -> None:
    right = sender.request.signature()
    word = sender.before_signature
    wrong = {"no-prefix": right, "other-prefix": ("sha512=" if word.startswith("sha") else "v1=") + right}
    if sender in (messages.GITHUB, messages.SLACK):
        wrong |= {"prefix-in-capitals": word.upper() + right, "prefix-alone": word}
    for kind, value in wrong.items():
        refuse(
            table,
            f"{sender.provider}-{kind}",
            f"The signature stands behind {word!r}.",
            "encoding advisory" if kind == "prefix-alone" else "encoding",
            "malformed_signature",
            sender.request,
            headers=[
                (name, value if name == sender.signature_header else text)
                for name, text in sender.request.sent_headers()
            ],
        )


def _look_alikes(table: Table) -> None:
    github = messages.GITHUB.request
    refuse(
        table,
        "github-only-the-sha1-header",
        "GitHub's older header is not enough.",
        "headers",
        "missing_header",
        github,
        headers=[*github.sent_headers()[:-1], ("x-hub-signature", f"sha1={github.signature()[:40]}")],
    )
    hubspot = messages.HUBSPOT.request
    refuse(
        table,
        "hubspot-only-version-2",
        "The older header is not enough: its signature is no MAC.",
        "headers",
        "missing_header",
        hubspot,
        headers=[("x-hubspot-signature", hubspot.mac().hex()), *hubspot.sent_headers()[1:]],
    )
    docusign = messages.DOCUSIGN.request
    text = docusign.signature()
    for number in ("0", "101", "01", "1a", ""):
        refuse(
            table,
            f"docusign-number-{number or 'none'}",
            "The numbers go from 1 to 100.",
            "headers",
            "missing_header",
            docusign,
            headers=[(f"x-docusign-signature-{number}", text)],
        )


def _delivery_ids(table: Table) -> None:
    github = messages.GITHUB.request
    (name, given), *others = github.sent_headers()
    odd = {"space": "a b", "newline": "a\n", "nul": "a\0", "letter-beyond-ascii": "\u00e9", "257-characters": "x" * 257}
    for kind, text in odd.items():
        refuse(
            table,
            f"github-delivery-id-{kind}",
            "It is not signed, but it names the message in keys and logs.",
            "message_id disagreement",
            "malformed_message_id",
            github,
            headers=[(name, text), *others],
        )
    refuse(
        table,
        "github-delivery-id-twice",
        "Which of them names the message?",
        "message_id headers disagreement",
        "duplicate_header",
        github,
        headers=[(name, given), *others, (name, "another")],
    )
