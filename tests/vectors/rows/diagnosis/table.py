"""The rows of diagnosis.json."""

from ..signers import BODY, NOW, b64
from .senders import Headers, Sender

FLAGS = {
    "body": "The body was changed between the sender and the check.",
    "build": "The endpoint cannot be built; no request is looked at.",
    "headers": "A header was changed on its way.",
    "none": "Nothing may be found: the request is forged, or changed in a way that cannot be undone.",
    "number_form": "A number that a JSON parser would write in another way.",
    "order": "Several things at once: the first experiment that verifies gives the finding, or nothing does.",
    "secret": "The secret is another one, or passed in another form.",
    "timestamp": "The signed time is of another unit, or too far from now.",
}

MISMATCH = "signature_mismatch"
BUILD = "secret_invalid"


class Diagnoses:
    """Collects the rows."""

    def __init__(self) -> None:
        self.rows: list[dict] = []

    def proved(self, finding: str, kind: str, comment: str, flags: str, sender: Sender, sent: Headers, **more) -> None:
        self._add(f"{finding}-{kind}-{sender.provider}", comment, flags, sender, sent, (finding, "proved"), **more)

    def likely(self, finding: str, kind: str, comment: str, flags: str, sender: Sender, sent: Headers, **more) -> None:
        self._add(f"{finding}-{kind}-{sender.provider}", comment, flags, sender, sent, (finding, "likely"), **more)

    def nothing(self, kind: str, comment: str, flags: str, sender: Sender, sent: Headers, **more) -> None:
        self._add(f"nothing-{kind}-{sender.provider}", comment, f"none {flags}", sender, sent, (None, None), **more)

    def _add(
        self,
        row_id: str,
        comment: str,
        flags: str,
        sender: Sender,
        sent: Headers,
        found: tuple[str | None, str | None],
        *,
        code: str = MISMATCH,
        body: bytes = BODY,
        secrets: tuple[str, ...] | None = None,
        others: tuple[tuple[str, str], ...] = (),
        recent_drift_seconds: tuple[int, ...] = (),
        now: int = NOW,
        **options: int,
    ) -> None:
        finding, certainty = found
        self.rows.append(
            {
                "id": row_id.replace("_", "-"),
                "comment": comment,
                "flags": flags.split(),
                "provider": sender.provider,
                "secrets": [sender.secret] if secrets is None else list(secrets),
                "others": [{"endpoint": name, "secret": secret} for name, secret in others],
                "headers": [[name, value] for name, value in sent],
                "body": b64(body),
                "now": now,
                "recent_drift_seconds": list(recent_drift_seconds),
                "options": options,
                "expect": {"code": code, "finding": finding, "certainty": certainty},
            }
        )
