"""Requests one after another at one endpoint: which is handled, which is answered from the store, which is refused.

The signatures are made here from the providers' own rules, not from providers.json.
"""

from .borders import borders
from .headers import github, others, shopify
from .members import adyen, twilio, zendesk
from .schemes import schemes, without_dedup
from .sequences import Sequences

FLAGS = {
    "border": "A border between signed values that is moved.",
    "dedup_off": "De-duplication is switched off.",
    "event_type": "The event type is in a header that is not signed.",
    "form": "The members of a form are signed.",
    "scheme": "A scheme of the user's own.",
    "time": "What a signed time is worth.",
    "unsigned_id": "The id is in a header that is not signed.",
}


def rows() -> list[dict]:
    table = Sequences()
    for part in (github, shopify, others, zendesk, twilio, adyen, borders, schemes, without_dedup):
        part(table)
    return table.rows
