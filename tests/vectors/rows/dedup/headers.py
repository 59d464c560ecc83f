"""Messages whose id or event type is in a header that nobody signs."""

from ..providers.senders import mac
from ..signers import b64
from .sequences import KEY, ONE_BODY, Sequences, request


def github_request(
    expect: str, event: str | None, delivery: str | None, body: bytes = ONE_BODY, more: tuple = ()
) -> dict:
    headers = [("x-hub-signature-256", "sha256=" + mac(KEY.encode(), body).hex())]
    headers += [("x-github-event", event)] if event else []
    headers += [("x-github-delivery", delivery)] if delivery else []
    return request([*headers, *more], body, expect)


def github(table: Sequences) -> None:
    send = github_request
    table.add(
        "github-one-body-two-types",
        "A push and a star of the same bytes are two events; each is answered once it was handled.",
        "unsigned_id event_type",
        "github",
        [
            send("handle", "push", "a-1"),
            send("handle", "star", "a-2"),
            send("replay", "push", "a-1"),
            send("replay", "star", "a-2"),
        ],
        new=2,
        duplicate=2,
    )
    table.add(
        "github-types-that-are-not-listed",
        "Whoever replays a request cannot gain a run for each type he makes up.",
        "unsigned_id event_type",
        "github",
        [
            send("handle", "made_up_1", "a-1"),
            send("replay", "made_up_2", "a-1"),
            send("replay", "Push", "a-1"),
            send("replay", "push, star", "a-1"),
            send("replay", None, "a-1"),
            send("handle", "push", "a-1"),
        ],
        new=2,
        duplicate=4,
    )
    table.add(
        "github-two-types",
        "Two headers of the type, whatever they say, are refused.",
        "unsigned_id event_type",
        "github",
        [
            send("duplicate_header", "push", "a-1", more=(("X-GitHub-Event", "star"),)),
            send("duplicate_header", "push", "a-1", more=(("x-github-event", "push"),)),
            send("handle", "push", "a-1"),
        ],
        new=1,
    )
    table.add(
        "github-another-id",
        "Under another id it is a second event or a replay: it is answered from the store and reported.",
        "unsigned_id",
        "github",
        [send("handle", "push", "a-1"), send("replay", "push", "a-2"), send("replay", "push", "a-1")],
        new=1,
        duplicate=1,
        same_body_other_id=1,
    )
    table.add(
        "github-id-taken-away",
        "Without its id the request is still the same message.",
        "unsigned_id",
        "github",
        [send("handle", "push", "a-1"), send("replay", "push", None), send("replay", "push", "a-1")],
        new=1,
        duplicate=1,
        same_body_other_id=1,
    )
    table.add(
        "github-without-ids",
        "Two requests without an id are one message.",
        "unsigned_id",
        "github",
        [send("handle", "push", None), send("replay", "push", None)],
        new=1,
        duplicate=1,
    )
    table.add(
        "github-another-id-handled",
        "With the policy `handle` the id is a part of the key.",
        "unsigned_id",
        "github",
        [
            send("handle", "push", "a-1"),
            send("handle", "push", "a-2"),
            send("replay", "push", "a-2"),
            send("handle", "star", "a-2"),
        ],
        options={"on_unsigned_id": "handle"},
        new=3,
        duplicate=1,
    )
    table.add(
        "github-another-body",
        "Another body is another message, also under the same id.",
        "unsigned_id",
        "github",
        [send("handle", "push", "a-1"), send("handle", "push", "a-1", b'{"id":8}')],
        new=2,
    )


def shopify(table: Sequences) -> None:
    def send(expect: str, topic: str, webhook_id: str) -> dict:
        headers = {
            "X-Shopify-Hmac-Sha256": b64(mac(KEY.encode(), ONE_BODY)),
            "X-Shopify-Topic": topic,
            "X-Shopify-Webhook-Id": webhook_id,
        }
        return request(headers, ONE_BODY, expect)

    table.add(
        "shopify-created-and-paid",
        "An order that is paid at once comes under two topics with the same bytes.",
        "unsigned_id event_type",
        "shopify",
        [
            send("handle", "orders/create", "b-1"),
            send("handle", "orders/paid", "b-2"),
            send("replay", "orders/create", "b-1"),
            send("replay", "orders/paid", "b-3"),
        ],
        new=2,
        duplicate=1,
        same_body_other_id=1,
    )


def others(table: Sequences) -> None:
    def sentry(expect: str, resource: str, request_id: str) -> dict:
        headers = {
            "Sentry-Hook-Signature": mac(KEY.encode(), ONE_BODY).hex(),
            "Sentry-Hook-Resource": resource,
            "Request-ID": request_id,
        }
        return request(headers, ONE_BODY, expect)

    table.add(
        "sentry-two-resources",
        "The resource is in a header.",
        "unsigned_id event_type",
        "sentry",
        [sentry("handle", "issue", "c-1"), sentry("handle", "error", "c-2"), sentry("replay", "issue", "c-9")],
        new=2,
        same_body_other_id=1,
    )

    def gitlab(expect: str, event: str, key: str) -> dict:
        headers = {"X-Gitlab-Token": KEY, "X-Gitlab-Event": event, "Idempotency-Key": key}
        return request(headers, ONE_BODY, expect)

    table.add(
        "gitlab-nothing-signed",
        "Where nothing is signed whoever can replay can forge, so the id counts for what it says.",
        "unsigned_id event_type",
        "gitlab",
        [
            gitlab("handle", "Push Hook", "d-1"),
            gitlab("handle", "Push Hook", "d-2"),
            gitlab("replay", "Push Hook", "d-1"),
        ],
        new=2,
        duplicate=1,
    )
