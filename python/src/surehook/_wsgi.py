"""The sender of a WSGI request: is it still there when the answer is?"""

from __future__ import annotations

import socket
from collections.abc import Mapping
from typing import Any

#: Where servers keep the connection in the environment of a request.
_SOCKETS = ("gunicorn.socket", "werkzeug.socket")


def sender_left(environ: Mapping[str, Any]) -> bool:
    """Whether it closed the connection, as far as the server lets one see."""
    if (disconnected := environ.get("waitress.client_disconnected")) is not None:
        return bool(disconnected())
    for name in _SOCKETS:
        if (connection := environ.get(name)) is not None:
            return _closed(connection)
    return False


def _closed(connection: Any) -> bool:
    try:
        return not connection.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
    except (
        BlockingIOError,
        ValueError,
        AttributeError,
    ):  # nothing was said, or nobody can look (TLS)
        return False
    except OSError:
        return True
