"""Which interpreter of the process this is: in any but the main one the import of the package ends here.

A process waits at its end for the threads of a subinterpreter, for ever.
"""

from __future__ import annotations

import importlib
from typing import Any

_REFUSED = (
    "surehook runs in the main interpreter of a process, not in a subinterpreter. mod_wsgi: set "
    "WSGIApplicationGroup %{GLOBAL}. uWSGI: set single-interpreter. "
    "In your own program: use threads or processes."
)


def _number() -> int:
    """Its number; the main one has 0."""
    for name in ("_interpreters", "_xxsubinterpreters"):  # from Python 3.13 on; before
        try:
            module: Any = importlib.import_module(name)
        except ImportError:
            continue
        current = module.get_current()
        return int(current[0] if isinstance(current, tuple) else current)
    return 0


if _number() != 0:
    raise ImportError(_REFUSED)
