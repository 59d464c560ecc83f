"""Why packages answer otherwise than Surehook: the requests that each explanation covers, and its words for the reader.

An explanation goes by what stands in the request, read apart from Surehook. The first that fits is taken, and each must
be the first for some row of verify.json.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

from . import facts
from .facts import BOM, Facts
from .peers import ACCEPTS, REFUSES

PYPI = ("svix (PyPI)", "standardwebhooks (PyPI)")
CLERK = ("@clerk/backend (npm)",)
NPM = ("svix (npm)", "standardwebhooks (npm)", *CLERK)
STANDARD = (*PYPI, *NPM)
STRIPE_OF_NPM = ("stripe (npm)",)
STRIPE = ("stripe (PyPI)", *STRIPE_OF_NPM)
OCTOKIT = ("@octokit/webhooks-methods (npm)",)

OK = ("ok",)
# Surehook's codes for a request of which no signature could be read, or none was right.
NO_SIGNATURE = ("malformed_signature", "no_supported_version", "signature_mismatch")
# The npm svix parses the body once the signature is right, so this exception too says that it was.
TAKEN = (ACCEPTS, "raises SyntaxError")


@dataclass(frozen=True)
class Explanation:
    """The disagreements of one cause. With `ours` absent, whatever Surehook says."""

    name: str
    words: str
    peers: tuple[str, ...]
    ours: tuple[str, ...] | None
    theirs: tuple[str, ...]
    when: Callable[[Facts], bool]

    def covers(self, peer: str, ours: str, theirs: str, request: Facts) -> bool:
        answers = peer in self.peers and theirs in self.theirs and (self.ours is None or ours in self.ours)
        return answers and self.when(request)


def _cut_at_a_second_comma(it: Facts) -> bool:
    parts = [entry.split(b",") for entry in it.entries]
    return any(len(part) > 2 and part[0] == b"v1" and facts.is_base64(part[1]) for part in parts)


def _with_foreign_characters(it: Facts) -> bool:
    values = [entry.partition(b",")[2] for entry in it.entries if entry.startswith(b"v1,")]
    return any(facts.python_reads(value) and not facts.is_base64(value) for value in values)


def _with_an_entry_that_python_cannot_read(it: Facts) -> bool:
    return any(entry.count(b",") != 1 or not facts.python_reads(entry.split(b",")[1]) for entry in it.entries)


def _with_space_around_the_list(it: Facts) -> bool:
    texts = [facts.text(value) for value in it.signatures]
    return any(text != text.strip() for text in texts)


def _with_a_bare_key(it: Facts) -> bool:
    return any(entry in (b"t", b"v1") or entry.startswith((b"t,", b"v1,")) for entry in it.entries)


def _with_an_empty_signature(it: Facts) -> bool:
    return any(re.fullmatch(rb"v1(=(=.*)?)?", entry, re.DOTALL) for entry in it.entries)


def _in_capitals(it: Facts) -> bool:
    values = [value for key, value in it.pairs if key == b"v1"] or [
        value.removeprefix(b"sha256=") for value in it.signatures
    ]
    return any(facts.CAPITAL_HEXADECIMAL.fullmatch(value) for value in values)


# They accept what we refuse: they read more into a request than its sender wrote.
LENIENT = (
    Explanation(
        "repeated-header",
        "Two values under one name: whoever reads the first and whoever reads the last take different requests "
        "for signed. Python's frameworks hand over the first; Node joins them, and what follows the first number "
        "or the first right signature is ignored.",
        (*STANDARD, *STRIPE, *OCTOKIT),
        ("duplicate_header",),
        TAKEN,
        lambda it: it.repeats_a_header,
    ),
    Explanation(
        "repeated-time",
        "Stripe's header with `t` twice. Its PyPI package takes the first, its npm package the last.",
        STRIPE,
        ("duplicate_header",),
        TAKEN,
        lambda it: len(it.times) > 1,
    ),
    Explanation(
        "mixed-families",
        "`svix-*` beside `webhook-*`: these packages choose header by header, so an id can come from one family "
        "and its signature from the other, or know one family and do not see the other.",
        STANDARD,
        ("mixed_header_family",),
        TAKEN,
        lambda it: len(it.families) > 1,
    ),
    Explanation(
        "id-of-any-form",
        "Any text is an id for them. With `.` in it the border between id and time can be moved under the same "
        "signature (`boundary-shift`); control characters and text without end belong into no log and no key.",
        STANDARD,
        ("malformed_message_id",),
        TAKEN,
        lambda it: any(not facts.PLAIN_ID.fullmatch(text) for text in it.ids),
    ),
    Explanation(
        "delivery-id-not-read",
        "GitHub's delivery id is not signed and this package never looks at it. Surehook names the message by it, "
        "and so refuses ids that are no plain text.",
        OCTOKIT,
        ("malformed_message_id", "duplicate_header"),
        TAKEN,
        lambda it: any(not facts.VISIBLE.fullmatch(text) for text in it.delivery_ids) or len(it.delivery_ids) > 1,
    ),
    Explanation(
        "time-of-a-lenient-number",
        "`float()` and `parseInt()` take spaces, signs, zeros and fractions, Python also exponents, underscores "
        "and the digits of other scripts, JavaScript anything after the digits. They sign the number again and "
        "not the text that came.",
        (*STANDARD, *STRIPE),
        ("malformed_timestamp",),
        TAKEN,
        lambda it: it.has_a_time_of_an_odd_form and not it.is_of_the_future,
    ),
    Explanation(
        "no-limit-to-the-future",
        "Stripe's packages refuse what is too old, and take any time to come: a message signed once for the year "
        "5000 stays good until then.",
        STRIPE,
        ("timestamp_too_new", "malformed_timestamp"),
        TAKEN,
        lambda it: it.is_of_the_future,
    ),
    Explanation(
        "list-without-limit",
        "More than 64 signatures or 8 KiB. Each costs them a comparison, before anything is authenticated.",
        (*STANDARD, *STRIPE),
        ("too_many_signatures",),
        TAKEN,
        lambda it: it.is_a_long_list,
    ),
    Explanation(
        "cut-at-a-second-comma",
        "`v1,<signature>,junk`: `split(',')` in JavaScript, of which the third part is dropped.",
        NPM,
        NO_SIGNATURE,
        TAKEN,
        _cut_at_a_second_comma,
    ),
    Explanation(
        "cut-at-a-second-equals-sign",
        "`v1=<signature>=junk`: Stripe's packages split at `=` and drop the third part.",
        STRIPE,
        NO_SIGNATURE,
        TAKEN,
        lambda it: any(
            key == b"v1" and facts.HEXADECIMAL.match(value) and value[64:65] == b"=" for key, value in it.pairs
        ),
    ),
    Explanation(
        "foreign-characters-in-base64",
        "Python's `b64decode` leaves out what is not of the alphabet, and takes loose bits and text after the "
        "padding: one signature has endless spellings.",
        PYPI,
        NO_SIGNATURE,
        TAKEN,
        _with_foreign_characters,
    ),
    Explanation(
        "trimmed-list",
        "The list with space around it, other than the spaces that part its entries. `Headers` and `trim()` drop it.",
        CLERK,
        NO_SIGNATURE,
        TAKEN,
        _with_space_around_the_list,
    ),
    Explanation(
        "body-replaced-while-decoding",
        "They decode the body as UTF-8 and sign the text again: every byte that is none becomes U+FFFD, so a body "
        "that nobody signed is taken under the signature of U+FFFD.",
        (*NPM, *STRIPE_OF_NPM, *OCTOKIT),
        ("signature_mismatch",),
        TAKEN,
        lambda it: not it.body_is_utf8,
    ),
    Explanation(
        "byte-order-mark-dropped",
        "`Request.text()` and `TextDecoder` drop a byte order mark, so one that was put before a signed body is "
        "not seen.",
        (*CLERK, *STRIPE_OF_NPM),
        ("signature_mismatch",),
        TAKEN,
        lambda it: it.body.startswith(BOM),
    ),
)

# They refuse what we accept: messages that their sender signed correctly are lost.
LOST = (
    Explanation(
        "public-key",
        "`v1a` is Ed25519, with keys that begin with `whpk_`. These packages check `v1` only: those of PyPI take "
        "the text of the key for the base64 of a shared secret, those of npm cannot decode it.",
        STANDARD,
        None,
        (REFUSES, "raises Error"),
        lambda it: it.has_a_public_key,
    ),
    Explanation(
        "body-decoded-as-text",
        "A signed body that is not UTF-8. Those of PyPI let the decoder's exception through, whatever else is "
        "wrong with the request; those of npm sign the text with U+FFFD in it.",
        (*STANDARD, *STRIPE, *OCTOKIT),
        None,
        (REFUSES, "raises UnicodeDecodeError"),
        lambda it: not it.body_is_utf8,
    ),
    Explanation(
        "signed-byte-order-mark",
        "Dropped before the text is signed again (see `byte-order-mark-dropped`), so a body that was signed with "
        "it is lost.",
        (*CLERK, *STRIPE_OF_NPM),
        OK,
        (REFUSES,),
        lambda it: it.body.startswith(BOM),
    ),
    Explanation(
        "body-parsed",
        "The npm `svix` and Clerk's `verifyWebhook` parse the body as JSON in the same call: a signed body that "
        "is empty, of another form or (for Clerk) `null` is an error.",
        ("svix (npm)", *CLERK),
        OK,
        (REFUSES, "raises SyntaxError"),
        lambda it: not it.body_is_an_object,
    ),
    Explanation(
        "capital-hexadecimal",
        "They compare text, Surehook the bytes that it spells. The providers send small letters; either spells "
        "one MAC.",
        (*STRIPE, *OCTOKIT),
        OK,
        (REFUSES,),
        _in_capitals,
    ),
    Explanation(
        "space-after-a-comma",
        "`t=…, v1=…`. Surehook reads all lists of pairs alike, and some providers (WorkOS) write one space.",
        STRIPE,
        OK,
        (REFUSES,),
        lambda it: any(entry.startswith(b" ") for entry in it.entries),
    ),
    Explanation(
        "key-without-a-value",
        "`t` or `v1` without `=` somewhere in Stripe's list: its PyPI package gives the whole list up, its npm package "
        "takes the last `t` for the time, which then is no number.",
        STRIPE,
        OK,
        (REFUSES,),
        _with_a_bare_key,
    ),
)

# They fail by an exception that is not their own refusal: in an ordinary handler a 500, to whoever sent the request.
EXCEPTIONS = (
    Explanation(
        "exception-of-the-list",
        "Every entry must be `version,base64` for the PyPI packages. An unreadable one, an empty one between two "
        "spaces, a letter that is not ASCII or wrong padding is an exception, even before a right signature.",
        PYPI,
        None,
        ("raises ValueError", "raises Error"),
        _with_an_entry_that_python_cannot_read,
    ),
    Explanation(
        "exception-of-the-calendar",
        "The PyPI packages turn the time into a date, and their arithmetic ends with the year 9999.",
        PYPI,
        None,
        ("raises ValueError", "raises OverflowError"),
        lambda it: any(len(time) >= 12 for time in it.times) or it.now > 250_000_000_000,
    ),
    Explanation(
        "exception-without-a-body-or-signature",
        "An empty body, a missing or an empty signature is a `TypeError`; GitHub signs empty bodies too.",
        OCTOKIT,
        None,
        ("raises TypeError",),
        lambda it: not it.body or not any(it.signatures),
    ),
    Explanation(
        "exception-of-an-empty-signature",
        "`v1=` or `v1` with nothing to compare, even beside a right one.",
        STRIPE_OF_NPM,
        None,
        ("raises Error",),
        _with_an_empty_signature,
    ),
    Explanation(
        "exception-of-the-comparison",
        "A signature with letters that are not ASCII, where the comparison wants ASCII (Python) or equal lengths "
        "in UTF-8 (Node).",
        STRIPE,
        None,
        ("raises TypeError", "raises RangeError"),
        lambda it: not b"".join(it.signatures).isascii(),
    ),
)

SECTIONS = (
    (
        "They accept what we refuse",
        "A package that accepts reads more into a request than its sender wrote, or takes what another refuses.",
        LENIENT,
    ),
    ("They refuse what we accept", "Correctly signed messages that are lost.", LOST),
    (
        "They raise something else",
        "An exception that is not their refusal: in an ordinary handler a 500, to whoever sent the request.",
        EXCEPTIONS,
    ),
)


def explain(peer: str, ours: str, theirs: str, request: Facts) -> Explanation | None:
    """The first explanation that covers the disagreement."""
    found = (one for _, _, group in SECTIONS for one in group if one.covers(peer, ours, theirs, request))
    return next(found, None)
