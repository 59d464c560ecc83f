"""The packages that scripts of this folder need: from PyPI in a virtual environment, from npm in node_modules."""

import hashlib
import os
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

HERE = Path(__file__).resolve().parent
REQUIREMENTS = HERE / "requirements.txt"
# A part of the others, so that those who need no more than it install no more.
PEERS = HERE / "differential" / "requirements.txt"


def enter(requirements: Path = REQUIREMENTS) -> None:
    """Starts the running script again inside the pinned environment, unless it is there already."""
    pinned = [path.read_bytes() for path in sorted({requirements, PEERS})]
    digest = hashlib.sha256(b"".join([*pinned, sys.version.encode()])).hexdigest()[:16]
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
        subprocess.run([*pip, "-r", str(requirements)], check=True)
        (home / "complete").touch()
    os.execv(python, [str(python), *sys.argv])


def install_npm_packages() -> None:
    """Installs the pinned packages of npm, unless they are there already."""
    lock, done = HERE / "package-lock.json", HERE / "node_modules" / ".package-lock.json"
    if done.exists() and done.stat().st_mtime >= lock.stat().st_mtime:
        return
    npm = ["npm", "ci", "--ignore-scripts", "--silent", "--no-audit", "--no-fund"]
    subprocess.run(npm, cwd=HERE, check=True)
