"""Ed25519 signatures that must be refused, and the confusions of v1 with v1a."""

from .signers import BODY, ED25519, MESSAGE_ID, OLD_SECRET, OTHER_ED25519, SECRET, SIGNED_AT, b64, content, mac, v1
from .table import STANDARD, Table, headers

RIGHT = v1()
WRONG = v1(OLD_SECRET)
MALFORMED, MISMATCH, NO_VERSION = "malformed_signature", "signature_mismatch", "no_supported_version"
# The order of the base point.
L = 2**252 + 27742317777372353535851937790883648493


def add(table: Table) -> None:
    right = ED25519.sign()

    def row(kind: str, comment: str, code: str, signature: str, *secrets: str, **more: object) -> None:
        sent = headers(signature=signature, names=STANDARD)
        table.add(f"ed25519-{kind}", comment, "ed25519", code, sent, secrets=secrets or (ED25519.whpk,), **more)

    def v1a(data: bytes) -> str:
        return "v1a," + b64(data)

    row("other-key", "Signed by another key.", MISMATCH, OTHER_ED25519.v1a())
    row("other-body", "Signed another body.", MISMATCH, ED25519.v1a(body=b"{}"))
    row("other-id", "Signed another id.", MISMATCH, ED25519.v1a(message_id="msg_other"))
    row("other-timestamp", "Signed another timestamp.", MISMATCH, ED25519.v1a(timestamp=SIGNED_AT + 1))
    row("zeros", "A signature of zeros.", MISMATCH, v1a(bytes(64)))
    row("r-and-s-swapped", "The halves exchanged.", MISMATCH, v1a(right[32:] + right[:32]))
    for bit in (0, 255, 256, 500):
        flipped = bytearray(right)
        flipped[bit // 8] ^= 1 << bit % 8
        row(f"bit-{bit}-flipped", "One bit of the signature.", MISMATCH, v1a(bytes(flipped)))
    larger = int.from_bytes(right[32:], "little") + L
    row(
        "s-not-reduced",
        "S + L: the same signature to a lax reader.",
        MISMATCH,
        v1a(right[:32] + larger.to_bytes(32, "little")),
    )
    row("small-order-r", "R is the neutral element.", MISMATCH, v1a(b"\x01" + bytes(31) + right[32:]))
    for kind, data in {
        "63-bytes": right[:63],
        "65-bytes": right + b"\0",
        "32-bytes": right[:32],
        "nothing": b"",
    }.items():
        row(kind, "Not 64 bytes.", MALFORMED, v1a(data))
    row("no-padding", "Strict base64 here too.", MALFORMED, v1a(right).rstrip("="))
    row("labelled-v1", "A v1a value under the label v1.", MALFORMED, "v1," + b64(right))
    row(
        "labelled-v1-for-both-keys",
        "A v1a value under the label v1.",
        MALFORMED,
        "v1," + b64(right),
        SECRET,
        ED25519.whpk,
    )
    confused = b64(mac(ED25519.public, content(MESSAGE_ID, SIGNED_AT, BODY)))
    row(
        "hmac-keyed-with-the-public-key",
        "Everybody knows the public key: it must never key a MAC.",
        NO_VERSION,
        f"v1,{confused}",
    )
    row(
        "hmac-keyed-with-the-public-key-beside-v1a",
        "Everybody knows the public key: it must never key a MAC.",
        MISMATCH,
        f"v1,{confused} {OTHER_ED25519.v1a()}",
    )
    row(
        "hmac-keyed-with-the-public-key-for-both-keys",
        "Everybody knows the public key: it must never key a MAC.",
        MISMATCH,
        f"v1,{confused}",
        SECRET,
        ED25519.whpk,
    )
    row("right-v1-for-a-whpk-key", "whpk_ keys check v1a only.", MISMATCH, f"{RIGHT} {OTHER_ED25519.v1a()}")
    row("right-v1a-for-a-whsec-key", "whsec_ keys check v1 only.", MISMATCH, f"{WRONG} {ED25519.v1a()}", SECRET)
    row(
        "both-wrong-for-both-keys",
        "Neither version is right.",
        MISMATCH,
        f"{WRONG} {OTHER_ED25519.v1a()}",
        SECRET,
        ED25519.whpk,
    )
    row("too-old", "The window holds for v1a too.", "timestamp_too_old", ED25519.v1a(), now=SIGNED_AT + 301)
    row("too-new", "The window holds for v1a too.", "timestamp_too_new", ED25519.v1a(), now=SIGNED_AT - 301)
    row("body-byte-added", "These are not the signed bytes.", MISMATCH, ED25519.v1a(), body=BODY + b"\n")
