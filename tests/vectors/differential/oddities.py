"""What may be odd about a request: forms of bodies, ids, timestamps, signatures and headers, and changes on the way."""

import json
from collections.abc import Callable
from random import Random

Headers = list[tuple[str, bytes]]

JUNK = (
    b"", b" ", b",", b"v1", b"v1,", b"v1=", b"=", b"junk", b"v2,AAAA", b"v1a,AAAA", b"v1,AAA", b"v1,A,B", b"\xff",
    b"\xc3\xa9", b"v0=00", b"v1=zz", b"t", b"t=", b"\t", b"\x00",
)  # fmt: skip
SPACES = (b" ", b"  ", b"\t", b"\n", b"\r\n", b"\x0b", b"\xa0", b"\xc2\xa0", b"\xe2\x80\x8b", b"\x00")
BOM = b"\xef\xbb\xbf"
ARABIC_DIGITS = {ord(str(digit)): chr(ord("\N{ARABIC-INDIC DIGIT ZERO}") + digit) for digit in range(10)}
OTHER_FAMILY = {"svix": "webhook", "webhook": "svix"}


def body(random: Random) -> bytes:
    """Bodies from nothing to bytes that are no text."""
    text = json.dumps({"id": "evt_1", "name": "Zo\N{LATIN SMALL LETTER E WITH DIAERESIS}"}, ensure_ascii=False)
    return random.choice(
        (
            b"",
            random.randbytes(random.randrange(1, 40)),
            text.encode(),
            text.encode("latin-1"),
            text.encode("utf-16"),
            BOM + text.encode(),
            text.encode() + random.choice(SPACES),
            text.encode()[: random.randrange(len(text))],
            b"\xef\xbf\xbd",
            b"1700000300.{}",
            b"null",
            b'"text"',
            b"[" * random.randrange(1, 200),
            b"a=1&b=%FF",
            b"{}" + b" " * random.randrange(10_000),
        )
    )


def message_id(random: Random) -> bytes:
    """Ids that a header can carry and some that it cannot."""
    return random.choice(
        (
            b"",
            b"0",
            b"msg.1",
            b"msg_1" + random.choice(SPACES),
            random.choice(SPACES) + b"msg_1",
            b"msg_1, msg_2",
            b"x" * random.choice((255, 256, 257, 300)),
            bytes([random.randrange(256)]),
            b"msg" + bytes([random.randrange(256)]) + b"1",
            "msg_\N{GREEK SMALL LETTER ALPHA}".encode(),
            bytes(random.randrange(0x21, 0x7F) for _ in range(random.randrange(1, 30))),
        )
    )


def timestamp(random: Random, now: int) -> bytes:
    """The present in forms that parsers may or may not read, and other times in the right form."""
    if random.random() < 0.4:
        ages = (299, 300, 301, -299, -300, -301, 3600, -3600, 86_400 * 365, now, now - 1, -(10**11))
        return str(now - random.choice(ages)).encode()
    form = random.choice(
        (
            " {}", "{} ", "\t{}", "{}\n", "\N{NO-BREAK SPACE}{}", "+{}", "-{}", "0{}", "000{}", "{}.0", "{}.9", "{}e0",
            "{}junk", "{},{}", "{}, {}", "{}_0", "{}000", "{}L", "0x{:x}", "{:e}", "{:_}", "{:,}", "{:b}", "", "now",
            "nan", "inf", "1e9999", "{}\N{ZERO WIDTH SPACE}", "\N{ZERO WIDTH SPACE}{}",
        )
    )  # fmt: skip
    text = form.format(now, now)
    if random.random() < 0.1:
        text = text.translate(ARABIC_DIGITS)
    return text.encode()


def standard_signature(random: Random, right: bytes, wrong: bytes) -> bytes:
    """A list of entries apart by spaces."""
    if random.random() < 0.5:
        return _misspelt(random, right)
    number = random.choice((0, 1, 2, 3, 62, 63, 64, 65))
    entries = [random.choice((wrong, *JUNK, _misspelt(random, right))) for _ in range(number)]
    if random.random() < 0.8:
        entries.insert(random.randint(0, len(entries)), right)
    return random.choice((b" ", b" ", b" ", b"  ", b", ", b"\t")).join(entries)


def stripe_signature(random: Random, right: bytes, wrong: bytes) -> bytes:
    """A list of `key=value` apart by commas, with the time among them."""
    if random.random() < 0.4:
        return _misspelt(random, right)
    time, good = right.rsplit(b",", 1)
    bad = wrong.rsplit(b",", 1)[1]
    foreign = (bad.replace(b"v1", b"v0"), good.replace(b"v1", b"v0"), b"x=y")
    others = (bad, *foreign, time, b"t=1", _misspelt(random, good), *JUNK)
    parts = [random.choice(others) for _ in range(random.choice((0, 1, 2, 3, 61, 62, 63, 64)))]
    for part in (time, good):
        if random.random() < 0.9:
            parts.insert(random.randint(0, len(parts)), part)
    return random.choice((b",", b",", b",", b", ", b";", b",,")).join(parts)


def github_signature(random: Random, right: bytes, wrong: bytes) -> bytes:
    """One signature after its prefix."""
    return random.choice(
        (wrong, right + b"," + wrong, wrong + b", " + right, *JUNK, *(_misspelt(random, right) for _ in range(30)))
    )


def headers(random: Random, sent: Headers) -> Headers:
    """Other cases, orders, repeated, missing and foreign headers."""
    sent = list(sent)
    at = random.randrange(len(sent))
    name, value = sent[at]
    twin = value if random.random() < 0.5 else random.choice((b"", b"1", b"junk", value + b"x"))
    family, _, part = name.partition("-")
    foreign = f"{OTHER_FAMILY.get(family, 'x')}-{part}"
    changes: tuple[Callable[[], object], ...] = (
        lambda: sent.pop(at),
        lambda: sent.reverse(),
        lambda: sent.__setitem__(at, (name.upper(), value)),
        lambda: sent.__setitem__(at, (name.replace("-", "_"), value)),
        lambda: sent.__setitem__(at, (foreign, value)),
        lambda: sent.__setitem__(at, (name, b"")),
        lambda: sent.insert(random.randint(0, len(sent)), (name, twin)),
        lambda: sent.insert(random.randint(0, len(sent)), (name.title(), twin)),
        lambda: sent.insert(random.randint(0, len(sent)), (foreign, twin)),
        lambda: sent.extend([(other.replace("svix", "webhook"), text) for other, text in list(sent)]),
        lambda: sent.append(("content-type", b"application/json")),
    )
    random.choice(changes)()
    return sent


def change(random: Random, sent: Headers, content: bytes) -> tuple[Headers, bytes]:
    """Something that the sender did not sign."""
    if not sent or random.random() < 0.5:
        changed = random.choice(
            (
                _flipped(random, content),
                content + b"\n",
                content.strip(),
                BOM + content,
                content.removeprefix(BOM),
                content.decode("utf-8", "replace").encode(),
                content.decode("latin-1").encode(),
                content.replace(b" ", b""),
                b"",
            )
        )
        return sent, changed
    at = random.randrange(len(sent))
    name, value = sent[at]
    changed = random.choice((_flipped(random, value), value[:-1], value[1:], value + random.choice(SPACES), value * 2))
    return [*sent[:at], (name, changed), *sent[at + 1 :]], content


def _flipped(random: Random, value: bytes) -> bytes:
    if not value:
        return value
    at = random.randrange(len(value))
    return value[:at] + bytes([value[at] ^ 1 << random.randrange(8)]) + value[at + 1 :]


def _misspelt(random: Random, signature: bytes) -> bytes:
    """The signature with a slip of a kind that a lenient reader may forgive."""
    at = random.randrange(len(signature) + 1)
    return random.choice(
        (
            signature[:at],
            signature[at:],
            signature[:at] + random.choice((*SPACES, *JUNK, b"*", b"-", b"\n")) + signature[at:],
            signature + random.choice((*SPACES, *JUNK, b"=", b"==", b"A", b"0", b",junk", b"=junk")),
            random.choice((*SPACES, b"=", b"0", b'"')) + signature,
            signature.upper(),
            signature.lower(),
            signature.swapcase(),
            signature.replace(b"=", b""),
            signature.replace(b"+", b"-").replace(b"/", b"_"),
            signature.replace(b",", b"="),
            signature.replace(b"=", b" = "),
            signature.replace(b",", b", "),
            b'"' + signature + b'"',
            _flipped(random, signature),
            _flipped(random, signature[:-1]) + signature[-1:],
            signature * 2,
        )
    )
