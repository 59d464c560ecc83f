"""Providers that send the secret itself: GitLab."""

from ..table import Table
from .messages import compact, text
from .row import accept, refuse
from .senders import Sender

GITLAB = Sender(
    "gitlab",
    *text("gitlab"),
    compact({"object_kind": "merge_request", "object_attributes": {"id": 99, "action": "open"}}),
    (
        ("x-gitlab-event", "Merge Request Hook"),
        ("idempotency-key", "{id}"),
        ("x-gitlab-token", "{signature}"),
    ),
    lambda request: b"",
    message_id="f5e5f430-f57b-4e6e-9fac-d9128cd7232f",
)
TOKEN = GITLAB.secret


def add(table: Table) -> None:
    good = GITLAB.request
    accept(table, "gitlab-good", "As GitLab sends it.", "provider token", good, signature=TOKEN)
    accept(
        table,
        "gitlab-body-changed",
        "GitLab signs nothing: whoever sees one request knows the token.",
        "token unsigned",
        good,
        signature=TOKEN,
        body=compact({"object_kind": "push"}),
    )
    accept(
        table,
        "gitlab-second-secret",
        "The token is replaced.",
        "token rotation",
        good,
        signature=TOKEN,
        secrets=(GITLAB.other_secret, TOKEN),
    )
    without_key = [header for header in good.sent_headers(TOKEN) if header[0] != "idempotency-key"]
    accept(
        table,
        "gitlab-without-idempotency-key",
        "GitLab before 17.4: the hash of the body names the message.",
        "provider token message_id",
        good.but(message_id=""),
        headers=without_key,
    )
    others = {
        "empty": "",
        "first-character": TOKEN[:1],
        "all-but-the-last-character": TOKEN[:-1],
        "one-character-more": TOKEN + "0",
        "doubled": TOKEN + TOKEN,
        "space-after": TOKEN + " ",
        "space-before": " " + TOKEN,
        "capitals": TOKEN.upper(),
        "last-character-changed": TOKEN[:-1] + ("0" if TOKEN[-1] != "0" else "1"),
        "nul-after": TOKEN + "\0",
        "other-token": GITLAB.other_secret,
        "list": f"{GITLAB.other_secret},{TOKEN}",
        "bearer": f"Bearer {TOKEN}",
    }
    for kind, token in others.items():
        refuse(
            table,
            f"gitlab-token-{kind}",
            "Anything but the whole token, and nothing else, is refused.",
            "token advisory" if TOKEN.startswith(token) else "token wrong_mac",
            "signature_mismatch",
            good,
            signature=token,
        )
    refuse(
        table,
        "gitlab-token-bytes-that-are-no-text",
        "Compared as bytes.",
        "token encoding",
        "signature_mismatch",
        good,
        headers=[*without_key[:-1], ("x-gitlab-token", b"\xff\xfe" + TOKEN.encode())],
    )
    refuse(
        table,
        "gitlab-missing-token",
        "GitLab sends no token when the hook has none.",
        "token headers",
        "missing_header",
        good,
        headers=good.sent_headers(TOKEN)[:-1],
    )
    refuse(
        table,
        "gitlab-token-twice",
        "A repeated header is refused, whatever its values.",
        "token headers",
        "duplicate_header",
        good,
        headers=[*good.sent_headers(TOKEN), ("X-Gitlab-Token", TOKEN)],
    )
