"""How a sequence of requests at one endpoint is written down as a row."""

from ..signers import NOW, b64

KEY = "0123456789abcdef0123456789abcdef"
ONE_BODY = b'{"id":7,"name":"one body"}'
URL = "https://hooks.example.com/in"


class Sequences:
    """Collects the rows."""

    def __init__(self) -> None:
        self.rows: list[dict] = []

    def add(
        self,
        row_id: str,
        comment: str,
        flags: str,
        provider: str | dict,
        requests: list[dict],
        *,
        secret: str = KEY,
        url: str | None = None,
        options: dict | None = None,
        **counts: int,
    ) -> None:
        whose = {"provider": provider} if isinstance(provider, str) else {"scheme": provider}
        where = {} if url is None else {"url": url}
        self.rows.append(
            {
                "id": row_id,
                "comment": comment,
                "flags": flags.split(),
                **whose,
                "secret": secret,
                **where,
                "options": options or {},
                "requests": requests,
                "counts": counts,
            }
        )

    def refuse(self, row_id: str, comment: str, flags: str, scheme: dict, says: str) -> None:
        """A scheme with which no endpoint is built."""
        self.add(row_id, comment, flags, scheme, [])
        self.rows[-1]["error"] = {"code": "invalid_option", "says": says}


def request(headers: dict | list, body: bytes, expect: str, *, path: str = "/in", now: int = NOW) -> dict:
    """`expect`: `handle`, `replay`, or the code of a refusal."""
    pairs = [list(pair) for pair in (headers.items() if isinstance(headers, dict) else headers)]
    return {"path": path, "headers": pairs, "body": b64(body), "now": now, "expect": expect}
