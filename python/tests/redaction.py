"""The texts of ``tests/contract/redaction.json``: ``{alnum:24}`` becomes 24 random letters and digits."""

import json
import random
import re
import string

from servers import ROOT

CONTRACT = json.loads((ROOT / "tests" / "contract" / "redaction.json").read_text())

ALPHABETS = {
    "digits": string.digits,
    "hex": "0123456789abcdef",
    "lower": string.ascii_lowercase + string.digits,
    "UPPER": string.ascii_uppercase + string.digits,
    "letters": string.ascii_letters,
    "alnum": string.ascii_letters + string.digits,
    "base64": string.ascii_letters + string.digits + "+/",
    "base64url": string.ascii_letters + string.digits + "-_",
}


def filled(template: str, seed: object) -> tuple[str, str]:
    """The text, and its secret: the longest of what was filled in."""
    chosen = random.Random(str(seed))
    parts = []

    def part(place: re.Match[str]) -> str:
        parts.append("".join(chosen.choices(ALPHABETS[place[1]], k=int(place[2]))))
        return parts[-1]

    text = re.sub(r"\{(\w+):(\d+)\}", part, template)
    return text, max(parts, key=len)


def kinds() -> dict[str, str]:
    """The templates by their names, but for those whose secret is so short that it is found anywhere."""
    found = {kind["kind"]: kind["text"] for kind in CONTRACT["credentials"]}
    return {kind: text for kind, text in found.items() if len(filled(text, kind)[1]) >= 8}
