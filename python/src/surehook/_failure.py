"""How a handler, or a step of it, ended with an exception: what the native module takes."""

from __future__ import annotations

#: Kind, type, text, location.
Failure = tuple[str, str, str, str | None]


def failure(error: BaseException) -> Failure:
    """What is told of an exception."""
    cancelled = type(error).__name__ in ("CancelledError", "GeneratorExit")
    return "cancelled" if cancelled else "raised", type_name(error), _text(error), _location(error)


def type_name(error: BaseException) -> str:
    """The name of its type, with its module."""
    kind = type(error)
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"


def _text(error: BaseException) -> str:
    try:
        return str(error)
    except Exception:  # a __str__ that raises must not hide the error it belongs to
        return ""


def _location(error: BaseException) -> str | None:
    """Where it was raised, as ``module:function``: stable over edits of the file."""
    trace = error.__traceback__
    if trace is None:
        return None
    while trace.tb_next is not None:
        trace = trace.tb_next
    frame = trace.tb_frame
    return f"{frame.f_globals.get('__name__', '?')}:{frame.f_code.co_name}"
