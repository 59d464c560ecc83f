"""What the application is called, where nobody says so: its project's name."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path
from types import FrameType

#: The name of a section, or of the project inside of one.
_LINE = re.compile(r"""^\s*(?:\[(?P<section>[^\]]+)\]|name\s*=\s*["'](?P<name>[^"']+)["'])""")
_SECTIONS = ("project", "tool.poetry")


def package() -> str | None:
    """The project of the code that calls: the same in every process of an application, wherever it starts."""
    settings = os.environ.get("DJANGO_SETTINGS_MODULE")
    if settings:
        return settings.partition(".")[0]
    for folder in _folders(sys._getframe(1)):
        file = folder / "pyproject.toml"
        if file.is_file():
            return _name(file)
    return None


def _folders(frame: FrameType | None) -> tuple[Path, ...]:
    """Where the first code that is not this package's stands, and what is above."""
    while frame is not None and str(frame.f_globals.get("__name__")).partition(".")[0] == "surehook":
        frame = frame.f_back
    file = Path(frame.f_code.co_filename) if frame is not None else Path("<none>")
    return tuple(file.resolve().parents) if file.is_file() else ()


def _name(file: Path) -> str | None:
    section = ""
    try:
        text = file.read_text("utf-8")
    except (OSError, UnicodeDecodeError):
        return None
    for line in text.splitlines():
        found = _LINE.match(line)
        if found is None:
            continue
        if found["section"] is not None:
            section = found["section"].strip()
        elif section in _SECTIONS:
            return found["name"]
    return None
