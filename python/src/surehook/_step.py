"""A named piece of the work, told in a statement or as a block."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from surehook._failure import failure

if TYPE_CHECKING:
    from types import TracebackType

    from typing_extensions import Self

    from surehook import _native


class Step:
    """What ``step(name)`` returns: as a block (``with`` or ``async with``) it records duration and error.

    The step then counts as done when the block ends without an exception.
    """

    __slots__ = ("_name", "_native", "_started")

    def __init__(self, native: _native.Delivery | _native.Deferred, name: str) -> None:
        native.step(name)
        self._native = native
        self._name = name
        self._started = 0.0

    def __enter__(self) -> Self:
        self._native.step_begun(self._name)
        self._started = time.perf_counter()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        seconds = time.perf_counter() - self._started
        self._native.step_ended(self._name, seconds, None if error is None else failure(error))

    async def __aenter__(self) -> Self:
        return self.__enter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.__exit__(kind, error, trace)
