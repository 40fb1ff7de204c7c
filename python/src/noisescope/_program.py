"""Runs the program ``noisescope``, and tells its errors as exceptions."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Optional, Union

#: Names a program instead of the one beside Python or on the PATH.
VARIABLE = "NOISESCOPE_PROGRAM"

#: A folder of sessions, as the program's ``--sessions`` takes it.
Sessions = Optional[Union[str, "os.PathLike[str]"]]


class Error(Exception):
    """What could not be done, in one paragraph; of the program, its own words."""


def program() -> str:
    """The program's path: ``NOISESCOPE_PROGRAM``, else beside Python, else on the PATH."""
    named = os.environ.get(VARIABLE)
    if named:
        found = shutil.which(named)
        if found is None:
            raise Error(f"{VARIABLE} names {named}, which is no program that can be run")
        return found
    folders = [sysconfig.get_path("scripts"), os.path.dirname(sys.executable)]
    user = f"{os.name}_user"
    if user in sysconfig.get_scheme_names():
        folders.append(sysconfig.get_path("scripts", user))
    for path in [os.pathsep.join(folders), None]:
        found = shutil.which("noisescope", path=path)
        if found is not None:
            return found
    raise Error(
        "the program noisescope is neither beside Python nor on the PATH; "
        f"`pip install noisescope` brings it, or name it in {VARIABLE}"
    )


def run(*arguments: str, sessions: Sessions = None) -> str:
    """Runs a command to its end, and gives what it printed.

    Raises:
        Error: with the program's words, where it fails.
    """
    command = [program(), *arguments]
    if sessions is not None:
        command += ["--sessions", os.fspath(sessions)]
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            check=False,
        )
    except OSError as error:
        raise Error(f"{command[0]} could not be started: {error}") from error
    if done.returncode == 0:
        return done.stdout
    said = done.stderr.strip()
    for prefix in ("noisescope: ", "error: "):
        if said.startswith(prefix):
            said = said[len(prefix) :]
    raise Error(said or f"{' '.join(command)} ended with code {done.returncode}")


@contextlib.contextmanager
def scratch() -> Iterator[Path]:
    """A folder for what the program writes, gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="noisescope-") as folder:
        yield Path(folder)
