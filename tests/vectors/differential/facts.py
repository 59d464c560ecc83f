"""What stands in a request, read once more and apart from Surehook: what the explanations go by."""

import base64
import binascii
import hmac
import json
import re
from functools import cached_property

PLAIN_TIME = re.compile(rb"0|[1-9][0-9]{0,11}")
PLAIN_ID = re.compile(rb"[\x21-\x2d\x2f-\x7e]{1,256}")
VISIBLE = re.compile(rb"[\x21-\x7e]{1,256}")
HEXADECIMAL = re.compile(rb"[0-9a-fA-F]{64}")
CAPITAL_HEXADECIMAL = re.compile(rb"(?=.*[A-F])[0-9a-fA-F]{64}")
BOM = b"\xef\xbb\xbf"
FAMILIES = tuple(
    tuple(f"{family}-{part}" for part in ("id", "timestamp", "signature")) for family in ("svix", "webhook")
)
SIGNATURE_HEADERS = {"stripe": "stripe-signature", "github": "x-hub-signature-256"}
# Where the event type is a part of a message's name.
EVENT_HEADERS = {"github": "x-github-event"}
LONGEST_LIST, MOST_ENTRIES = 8 * 1024, 64
TOLERANCE = 300


class Facts:
    """A row of verify.json."""

    def __init__(self, row: dict) -> None:
        self.provider: str = row["provider"]
        self.now: int = row["now"]
        self.secrets: list[str] = row["secrets"]
        self.body = base64.b64decode(row["body"])
        self.headers = [(name.lower(), _bytes(value)) for name, value in row["headers"]]

    def values(self, name: str) -> list[bytes]:
        return [value for header, value in self.headers if header == name]

    def first(self, name: str) -> bytes:
        return next(iter(self.values(name)), b"")

    @cached_property
    def families(self) -> list[tuple[str, str, str]]:
        """Those of which at least one header is there."""
        return [names for names in FAMILIES if any(self.values(name) for name in names)]

    @cached_property
    def signing_headers(self) -> tuple[str, ...]:
        if self.provider in SIGNATURE_HEADERS:
            return (SIGNATURE_HEADERS[self.provider],)
        return tuple(name for names in self.families for name in names)

    @cached_property
    def repeats_a_header(self) -> bool:
        names = (*self.signing_headers, EVENT_HEADERS.get(self.provider, ""))
        return any(len(self.values(name)) > 1 for name in names)

    @cached_property
    def ids(self) -> list[bytes]:
        return [self.first(names[0]) for names in self.families]

    @cached_property
    def delivery_ids(self) -> list[bytes]:
        """GitHub's."""
        return self.values("x-github-delivery")

    @cached_property
    def signatures(self) -> list[bytes]:
        """The values of the signature headers; more than one is a fault."""
        names = [names[2] for names in self.families] or [SIGNATURE_HEADERS.get(self.provider, "")]
        return [value for name in names for value in self.values(name)]

    @cached_property
    def times(self) -> list[bytes]:
        """The texts of the time of signing; more than one is a fault."""
        if self.provider == "stripe":
            return [value for key, value in self.pairs if key == b"t"]
        return [value for names in self.families for value in self.values(names[1])]

    @cached_property
    def entries(self) -> list[bytes]:
        """The parts of a list of signatures."""
        separator = b"," if self.provider == "stripe" else b" "
        return [entry for value in self.signatures for entry in value.split(separator)]

    @cached_property
    def pairs(self) -> list[tuple[bytes, bytes]]:
        """The `key=value` parts of Stripe's list, as Stripe writes them or with one space before."""
        found = [entry.removeprefix(b" ").partition(b"=") for entry in self.entries]
        return [(key, value) for key, equals, value in found if equals]

    @cached_property
    def has_a_time_of_an_odd_form(self) -> bool:
        return any(not PLAIN_TIME.fullmatch(time) for time in self.times)

    @cached_property
    def is_of_the_future(self) -> bool:
        """Whether the digits that a time begins with are beyond any tolerance."""
        digits = [re.match(rb"\s*\+?(\d+)", time) for time in self.times]
        return any(int(match[1]) > self.now + TOLERANCE for match in digits if match)

    @cached_property
    def is_a_long_list(self) -> bool:
        counted = [key for key, _ in self.pairs if key == b"v1"] if self.provider == "stripe" else self.entries
        return sum(map(len, self.signatures)) > LONGEST_LIST or sum(map(bool, counted)) > MOST_ENTRIES

    @cached_property
    def body_is_utf8(self) -> bool:
        try:
            self.body.decode()
        except UnicodeDecodeError:
            return False
        return True

    @cached_property
    def body_is_an_object(self) -> bool:
        """Whether it is JSON that a parser of text reads as something to take members from."""
        try:
            return json.loads(self.body.decode(), parse_constant=_not_json) is not None
        except ValueError:
            return False

    @cached_property
    def has_a_public_key(self) -> bool:
        return any(secret.startswith("whpk_") for secret in self.secrets)

    @cached_property
    def must_be_accepted(self) -> bool:
        """What contracts.md, section 2, asks for, worked out from nothing but the request; not for public keys."""
        once = all(len(self.values(name)) == 1 for name in self.signing_headers) and len(self.delivery_ids) < 2
        return once and not self.repeats_a_header and not self.is_a_long_list and self._has_plain_names_and_time and self._is_rightly_signed

    @cached_property
    def _has_plain_names_and_time(self) -> bool:
        if self.provider == "github":
            return all(not text or VISIBLE.fullmatch(text) for text in self.delivery_ids)
        plain_ids = self.provider == "stripe" or (len(self.ids) == 1 and PLAIN_ID.fullmatch(self.ids[0]))
        in_time = [PLAIN_TIME.fullmatch(time) and abs(int(time) - self.now) <= TOLERANCE for time in self.times]
        return bool(plain_ids) and len(in_time) == 1 and bool(in_time[0])

    @cached_property
    def _is_rightly_signed(self) -> bool:
        return any(self._mac(secret) in self._macs for secret in self.secrets)

    def _mac(self, secret: str) -> bytes:
        key = secret.encode()
        if self.provider not in SIGNATURE_HEADERS:
            key = base64.b64decode(secret.removeprefix("whsec_"))
        return hmac.digest(key, b".".join((*self.ids, *self.times, self.body)), "sha256")

    @cached_property
    def _macs(self) -> list[bytes]:
        """The signatures that can be read."""
        if self.provider == "stripe":
            found = [value for key, value in self.pairs if key == b"v1"]
        elif self.provider == "github":
            found = [value.removeprefix(b"sha256=") for value in self.signatures if value.startswith(b"sha256=")]
        else:
            values = [entry.removeprefix(b"v1,") for entry in self.entries if entry.startswith(b"v1,")]
            return [base64.b64decode(value) for value in values if is_base64(value)]
        return [bytes.fromhex(value.decode()) for value in found if HEXADECIMAL.fullmatch(value)]


def is_base64(text: bytes) -> bool:
    """Whether it is base64 without any freedom."""
    try:
        return base64.b64encode(base64.b64decode(text, validate=True)) == text
    except binascii.Error:
        return False


def python_reads(text: bytes) -> bool:
    """Whether Python's default decoder, which leaves foreign characters out, makes anything of it."""
    try:
        base64.b64decode(text)
    except binascii.Error:
        return False
    return text.isascii()


def text(value: bytes) -> str:
    """A header as the packages get it."""
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value.decode("latin-1")


def _not_json(constant: str) -> None:
    raise ValueError(constant)


def _bytes(value: str | dict[str, str]) -> bytes:
    return value.encode() if isinstance(value, str) else base64.b64decode(value["base64"])
