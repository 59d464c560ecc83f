"""Secrets that an endpoint takes, takes with a warning, or must refuse when it is built."""

import base64

from .signers import ED25519, SECRET, b64, fixed_bytes, whsec

FLAGS = {
    "base64": "Not strict base64.",
    "hexadecimal": "Not hexadecimal, or only a part of it.",
    "length": "About the number of bytes of the key.",
    "other_credential": "Something else pasted by mistake.",
    "public_key": "About public keys.",
    "stray_text": "The secret with something around it or in it.",
    "strong": "A secret that is as it should be.",
}

OK, WARNING, INVALID = "ok", "ok_with_warning", "secret_invalid"


def rows() -> list[dict]:
    collected: list[dict] = []

    def add(row_id: str, comment: str, flags: str, secret: str, expect: str, says: str | None = None) -> None:
        row = {"id": row_id, "comment": comment, "flags": flags.split(), "provider": "clerk", "secret": secret}
        row["expect"] = expect
        if says is not None:
            row["says"] = says
        collected.append(row)

    _taken(add)
    _lengths(add)
    _stray_text(add)
    _base64(add)
    _other_credentials(add)
    _public_keys(add)
    for provider in ("svix", "standard-webhooks"):
        for expect, secret in ((OK, SECRET), (WARNING, whsec("weak", 16)), (INVALID, whsec("short", 15))):
            row_id = f"{provider}-{expect.replace('_', '-')}"
            collected.append(
                {
                    "id": row_id,
                    "comment": "The rule is the same for every provider of the family.",
                    "flags": ["length"],
                    "provider": provider,
                    "secret": secret,
                    "expect": expect,
                }
            )
    return collected


def _taken(add) -> None:
    add("whsec", "As the dashboard shows it.", "strong", SECRET, OK)
    add("bare-base64", "Without its prefix.", "strong", SECRET.removeprefix("whsec_"), OK)
    add("with-plus-and-slash", "The standard alphabet.", "strong", "whsec_" + b64(b"\xfb\xef\xbe\xff" * 6), OK)
    add("whpk", "A public key.", "strong public_key", ED25519.whpk, OK)


def _lengths(add) -> None:
    short = "Shorter than 16 bytes can be guessed, or was cut when it was copied."
    add("empty", "An unset variable.", "length", "", INVALID, "empty")
    add(
        "prefix-alone",
        "Nothing after whsec_: an HMAC with an empty key, which everybody can make.",
        "length",
        "whsec_",
        INVALID,
    )
    for length in (1, 2, 8, 12, 15):
        add(f"{length}-bytes", short, "length", whsec("short", length), INVALID)
    add("8-bytes-bare", short, "length", b64(fixed_bytes("short", 8)), INVALID)
    for length in (16, 17, 23):
        add(
            f"{length}-bytes",
            "Works, but below the 24 bytes of the specification.",
            "length",
            whsec("weak", length),
            WARNING,
        )
    for length in (24, 32, 63, 64):
        add(
            f"{length}-bytes",
            "24 to 64 bytes are what the specification asks for.",
            "strong length",
            whsec("strong", length),
            OK,
        )
    add("word", "A default that decodes to 6 bytes.", "length", "changeme", INVALID)
    add("whsec-word", "The same behind the prefix.", "length", "whsec_password", INVALID)
    add("huge", "A file instead of a secret.", "length", "whsec_" + "QUJD" * 2048, INVALID)


def _stray_text(add) -> None:
    blanks = {"space": " ", "spaces": "   ", "tab": "\t", "newline": "\n", "crlf": "\r\n", "no-break-space": "\u00a0"}
    for kind, text in blanks.items():
        add(f"only-{kind}", "Only whitespace.", "stray_text length", text, INVALID, "whitespace")
        add(f"leading-{kind}", "Pasted with whitespace before it.", "stray_text", text + SECRET, INVALID, "whitespace")
        add(f"trailing-{kind}", "Pasted with whitespace after it.", "stray_text", SECRET + text, INVALID, "whitespace")
    for kind, quote in {"double": '"', "single": "'", "backtick": "`"}.items():
        add(f"{kind}-quotes", "Quotes from a .env file.", "stray_text", f"{quote}{SECRET}{quote}", INVALID, "quotes")
        add(f"{kind}-quote-left-over", "Half of a pair of quotes.", "stray_text", SECRET + quote, INVALID, "quotes")
    add("bare-trailing-newline", "Without its prefix.", "stray_text", SECRET[6:] + "\n", INVALID, "whitespace")
    add("space-after-prefix", "A space inside.", "stray_text", SECRET.replace("_", "_ "), INVALID)
    add("inner-newline", "A wrapped line.", "stray_text", SECRET[:20] + "\n" + SECRET[20:], INVALID)
    add("inner-nul", "A byte that does not belong.", "stray_text", SECRET[:20] + "\0" + SECRET[20:], INVALID)
    add("byte-order-mark", "From a file saved with a BOM.", "stray_text", "\ufeff" + SECRET, INVALID)
    add("zero-width-space", "From a web page.", "stray_text", SECRET + "\u200b", INVALID)
    add(
        "two-joined-by-a-comma",
        "Several secrets are a list, not one text.",
        "stray_text",
        f"{SECRET},{SECRET}",
        INVALID,
    )
    add(
        "two-joined-by-a-space",
        "Several secrets are a list, not one text.",
        "stray_text",
        f"{SECRET} {SECRET}",
        INVALID,
    )
    add("assignment", "A whole line of a .env file.", "stray_text", f"CLERK_WEBHOOK_SIGNING_SECRET={SECRET}", INVALID)
    add("bearer", "With the word Bearer.", "stray_text", f"Bearer {SECRET}", INVALID)


def _base64(add) -> None:
    text = b64(fixed_bytes("padding", 25))  # ends in "=="
    url_safe = base64.urlsafe_b64encode(b"\xfb\xef\xbe\xff" * 6).decode()
    url_safe_25 = base64.urlsafe_b64encode(b"\xfb\xef\xbe\xff" * 6 + b"\xff").decode()
    loose = text[:33] + chr(ord(text[33]) + 1) + "=="
    assert base64.b64decode(loose) == base64.b64decode(text)
    good = {
        "url-safe-alphabet": url_safe,
        "missing-padding": text.rstrip("="),
        "url-safe-with-padding": url_safe_25,
        "url-safe-missing-padding": url_safe_25.rstrip("="),
    }
    for kind, value in good.items():
        add(f"base64-{kind}", "It can only be this.", "base64 strong", f"whsec_{value}", OK)
    add("base64-bare-url-safe", "Without its prefix.", "base64 strong", url_safe, OK)
    weak, short = (b64(fixed_bytes("unpadded", length)).rstrip("=") for length in (16, 14))
    add("base64-16-bytes-missing-padding", "Works, but short.", "base64 length", f"whsec_{weak}", WARNING)
    add("base64-14-bytes-missing-padding", "Can be guessed, or was cut.", "base64 length", f"whsec_{short}", INVALID)
    letters = "QUJD" * 8
    cases = {
        "two-alphabets": url_safe[:-4] + "+/+/",
        "url-safe-half-the-padding": url_safe_25[:-1],
        "prefix-twice-of-letters": f"whsec_{letters}QU",
        "half-the-padding": text[:-1],
        "excess-padding": text + "=",
        "padding-on-a-whole-block": SECRET[6:] + "====",
        "inner-padding": text + SECRET[6:],
        "loose-last-bits": loose,
        "one-character-missing": SECRET[6:-1],
        "foreign-character": SECRET[6:20] + "!" + SECRET[21:],
        "foreign-dollar": SECRET[6:20] + "$" + SECRET[20:],
        "stars": "*" * 32,
        "dots": "...",
        "umlaut": SECRET[6:20] + "\xe4" + SECRET[21:],
        "cyrillic-letter": SECRET[6:20] + "\u0430" + SECRET[21:],
        "full-width-letters": "\uff21\uff22\uff23\uff24" * 8,
        "emoji": "\U0001f511" * 8,
        "only-padding": "=" * 32,
        "prefix-twice": SECRET,
    }
    for kind, value in cases.items():
        add(
            f"base64-{kind}",
            "openai-node #1887: a lenient decoder makes another, shorter key of it.",
            "base64",
            f"whsec_{value}",
            INVALID,
        )
    add("base64-bare-missing-padding", "Without its prefix.", "base64 strong", text.rstrip("="), OK)
    add("capital-prefix-of-letters", "The prefix is lower case.", "base64", f"WHSEC_{letters}QU", INVALID)
    add("hyphen-prefix-of-letters", "The prefix has an underscore.", "base64", f"whsec-{letters}QU", INVALID)
    add("other-prefix-of-letters", "A key of something else.", "base64", f"polar_{letters}QU", INVALID)
    add("capital-prefix", "The prefix is lower case.", "base64", "WHSEC_" + SECRET[6:], INVALID)
    add("prefix-with-hyphen", "The prefix has an underscore.", "base64", "whsec-" + SECRET[6:], INVALID)


def _other_credentials(add) -> None:
    add(
        "whsk",
        "The private signing key: a receiver must not have it.",
        "other_credential public_key",
        ED25519.whsk,
        INVALID,
        "private",
    )
    long_whsk = "whsk_" + b64(ED25519.seed + ED25519.public)
    add(
        "whsk-64-bytes",
        "The private key with its public half.",
        "other_credential public_key",
        long_whsk,
        INVALID,
        "private",
    )
    header, claims = b64(b'{"alg":"HS256"}').rstrip("="), b64(b'{"sub":"1"}').rstrip("=")
    add("jwt", "A token.", "other_credential", f"{header}.{claims}.{b64(bytes(32)).rstrip('=')}", INVALID, "JWT")
    keys = ("sk_test_", "sk_live_", "pk_test_", "pk_live_")
    for prefix in keys:
        value = f"{prefix}{'Example' * 5}"
        add(
            f"{prefix.strip('_').replace('_', '-')}-key",
            "An API key of the provider.",
            "other_credential",
            value,
            INVALID,
            "API key",
        )
    add(
        "https-url",
        "The address of the endpoint.",
        "other_credential",
        "https://app.example.com/api/webhooks/clerk",
        INVALID,
        "URL",
    )
    add(
        "shell-variable",
        "Never replaced by its value.",
        "other_credential",
        "${CLERK_WEBHOOK_SECRET}",
        INVALID,
        "placeholder",
    )
    add(
        "shell-variable-bare",
        "Never replaced by its value.",
        "other_credential",
        "$CLERK_WEBHOOK_SECRET",
        INVALID,
        "placeholder",
    )
    add(
        "shell-variable-after-prefix",
        "Never replaced by its value.",
        "other_credential",
        "whsec_${SECRET}",
        INVALID,
        "placeholder",
    )
    add(
        "template-variable",
        "Never replaced by its value.",
        "other_credential",
        "{{ webhook_secret }}",
        INVALID,
        "placeholder",
    )
    for text in ("undefined", "null", "None", "true", "[object Object]", "<your-secret>", "whsec_...", "whsec_xxx"):
        kind = "".join(letter if letter.isalnum() else "-" for letter in text.lower()).strip("-")
        add(f"text-{kind}", "What an unset value or an example leaves behind.", "other_credential", text, INVALID)
    add("pem", "A key file.", "other_credential", "-----BEGIN PUBLIC KEY-----\nMCow\n-----END PUBLIC KEY-----", INVALID)
    add("surehook-key", "The key of the collector.", "other_credential", "shk_" + "A" * 40, INVALID)


def _public_keys(add) -> None:
    key = ED25519.public
    for length, data in {0: b"", 31: key[:31], 33: key + b"\0", 64: key + key}.items():
        add(f"whpk-{length}-bytes", "A public key has 32 bytes.", "public_key", f"whpk_{b64(data)}", INVALID)
    no_point = next(y.to_bytes(32, "little") for y in range(2, 100) if not _is_on_curve(y))
    add("whpk-not-a-point", "No point of the curve has this y.", "public_key", f"whpk_{b64(no_point)}", INVALID)
    small = {
        "order-1": (1).to_bytes(32, "little"),
        "order-2": (P - 1).to_bytes(32, "little"),
        "order-4": bytes(32),
        "order-8": bytes.fromhex("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"),
    }
    for kind, data in small.items():
        add(
            f"whpk-{kind}",
            "A point of small order: signatures under it can be made by anybody.",
            "public_key",
            f"whpk_{b64(data)}",
            INVALID,
        )
    add("whpk-missing-padding", "Its padding may be left out.", "public_key base64", ED25519.whpk.rstrip("="), OK)
    add(
        "whpk-trailing-newline",
        "Whitespace here too.",
        "public_key stray_text",
        ED25519.whpk + "\n",
        INVALID,
        "whitespace",
    )
    add("whpk-in-hexadecimal", "Another encoding.", "public_key", f"whpk_{key.hex()}", INVALID)


P = 2**255 - 19


def _is_on_curve(y: int) -> bool:
    """Whether an x exists for this y on edwards25519 (RFC 8032, section 5.1.3)."""
    d = -121665 * pow(121666, -1, P) % P
    x_squared = (y * y - 1) * pow(d * y * y + 1, -1, P) % P
    return x_squared == 0 or pow(x_squared, (P - 1) // 2, P) == 1
