"""Runs a script of this folder with the packages of requirements.txt, from a virtual environment of its own."""

import hashlib
import os
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

HERE = Path(__file__).resolve().parent
REQUIREMENTS = HERE / "requirements.txt"


def enter() -> None:
    """Starts the running script again inside the pinned environment, unless it is there already."""
    digest = hashlib.sha256(REQUIREMENTS.read_bytes() + sys.version.encode()).hexdigest()[:16]
    # The folder is the user's own: a shared name under /tmp could be prepared by somebody else.
    home = Path(tempfile.gettempdir()) / f"surehook-vectors-{os.getuid()}-{digest}"
    if Path(sys.prefix) == home:
        return
    python = home / "bin" / "python"
    if not (home / "complete").exists():
        home.mkdir(mode=0o700, exist_ok=True)
        if home.stat().st_uid != os.getuid():
            sys.exit(f"{home} belongs to another user")
        venv.create(home, with_pip=True, clear=True)
        pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, "-r", str(REQUIREMENTS)], check=True)
        (home / "complete").touch()
    os.execv(python, [str(python), *sys.argv])
