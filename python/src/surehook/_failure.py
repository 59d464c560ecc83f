"""How a handler, or a step of it, ended with an exception: what the native module takes."""

from __future__ import annotations

import re

#: SQLAlchemy's parameters, and the detail of a PostgreSQL server: to the next part of a message, or its end.
_QUOTED_VALUES = re.compile(
    r"^(?:\[parameters: |DETAIL: ).*?(?:\n(?=\[SQL: |\[parameters: |\(Background on |HINT: |CONTEXT: )|\Z)",
    re.DOTALL | re.MULTILINE,
)

#: Kind, type, text, location.
Failure = tuple[str, str, str, str | None]


def failure(error: BaseException) -> Failure:
    """What is told of an exception."""
    cancelled = type(error).__name__ in ("CancelledError", "GeneratorExit")
    return "cancelled" if cancelled else "raised", type_name(error), text(error), _location(error)


def type_name(error: BaseException) -> str:
    """The name of its type, with its module."""
    kind = type(error)
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"


def text(error: BaseException) -> str:
    """What it says, without the values that a database quotes of the statement that failed."""
    try:
        said = str(error)
    except Exception:  # a __str__ that raises must not hide the error it belongs to
        return ""
    return _QUOTED_VALUES.sub("", said)


def _location(error: BaseException) -> str | None:
    """Where it was raised, as ``module:function``: stable over edits of the file."""
    trace = error.__traceback__
    if trace is None:
        return None
    while trace.tb_next is not None:
        trace = trace.tb_next
    frame = trace.tb_frame
    return f"{frame.f_globals.get('__name__', '?')}:{frame.f_code.co_name}"
