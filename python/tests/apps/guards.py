"""What the applications of `test_schemes.py` and `test_refusals.py` guard, and how their verifiers judge."""

CLERK_SECRET = "whsec_YSBrZXkgdGhhdCBvbmx5IHRlc3RzIG1heSBrbm93ISE="
KEY = "a secret of forty characters, for tests"
VERIFY_TOKEN = "the token that only tests may know"
PUBLIC_URL = "https://hooks.example.com/in"

ACME = {
    "provider": "acme",
    "secret": "utf8",
    "algorithm": "hmac_sha512",
    "encoding": "base64",
    "signature": {"header": "X-Acme-Signature", "prefix": "sha512="},
    "content": "{timestamp}:{body}",
    "timestamp": {"header": "X-Acme-Time", "unit": "seconds", "tolerance_seconds": 60},
    "message_id": {"body": ["event.id"]},
    "event_type": {"body": ["event.name"]},
}

VERDICTS = {"true": True, "false": False, "none": None, "one": 1, "empty": "", "bytes": b"msg"}

judged: list[int] = []


def judge(request: object, body: bytes, headers: dict[str, str]) -> object:
    """What the header says, as a verifier of the user would find it in a certificate or a JWT."""
    judged.append(len(body))
    said = headers["x-verdict"]
    if said == "raise":
        raise RuntimeError("the certificate of the verifier is gone")
    return {"true": True, "false": False, "none": None, "one": 1, "empty": "", "bytes": b"msg"}.get(
        said, said
    )


GUARDS: dict[str, dict[str, object]] = {
    "clerk": {"provider": "clerk", "signature_secret": CLERK_SECRET, "max_body_bytes": 10_000},
    "once": {"provider": "clerk", "signature_secret": CLERK_SECRET, "dedup": "off"},
    "acme": {"scheme": ACME, "signature_secret": KEY},
    "meta": {"provider": "meta", "signature_secret": KEY, "verify_token": VERIFY_TOKEN},
    "slack": {"provider": "slack", "signature_secret": KEY},
    "square": {"provider": "square", "signature_secret": KEY, "url": PUBLIC_URL},
    "judged": {"provider": "inhouse", "max_body_bytes": 1000},
}
