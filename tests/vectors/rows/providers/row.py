"""From a request of a provider to a row."""

from ..table import Table, valid
from .senders import NOW, Header, Request


def accept(
    table: Table,
    row_id: str,
    comment: str,
    flags: str,
    request: Request,
    *,
    message_id: str | None = None,
    **sent: object,
) -> None:
    """Adds a row that must be accepted, under the id that the request carries unless another is given."""
    _add(table, row_id, comment, flags, valid(message_id or request.verified_id()), request, **sent)


def refuse(table: Table, row_id: str, comment: str, flags: str, code: str, request: Request, **sent: object) -> None:
    """Adds a row that must be refused with this code."""
    _add(table, row_id, comment, flags, code, request, **sent)


def _add(
    table: Table,
    row_id: str,
    comment: str,
    flags: str,
    expect: str | dict,
    request: Request,
    *,
    signature: str | None = None,
    headers: list[Header] | None = None,
    body: bytes | None = None,
    secrets: tuple[str, ...] | None = None,
    now: int = NOW,
    url: str | None = None,
    method: str = "",
    **options: int,
) -> None:
    """What is given here replaces what the request would send; the endpoint's secret is the sender's."""
    table.add(
        row_id,
        comment,
        flags,
        expect,
        request.sent_headers(signature) if headers is None else headers,
        body=request.sent_body(signature) if body is None else body,
        provider=request.sender.provider,
        secrets=secrets or (request.sender.secret,),
        now=now,
        method=method or request.method,
        url=url or request.url,
        **options,
    )
