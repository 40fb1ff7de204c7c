"""Runs the program ``noisescope``, and raises its errors as exceptions."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Optional, Union

#: The environment variable that names the program, instead of the one beside Python or on the PATH.
VARIABLE = "NOISESCOPE_PROGRAM"

#: How the program begins what it remarks on standard error.
SAYS = "noisescope: "

#: A sessions folder, as for the program's ``--sessions``; None for the program's own.
Sessions = Optional[Union[str, "os.PathLike[str]"]]


class Error(Exception):
    """An operation that failed, described in one paragraph; for errors of the program, its message."""


def program() -> str:
    """The program's path: from ``NOISESCOPE_PROGRAM``, else beside Python, else on the PATH."""
    named = os.environ.get(VARIABLE)
    if named:
        found = shutil.which(named)
        if found is None:
            raise Error(f"{VARIABLE} names {named}, which is not an executable program")
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
        f"install it with `pip install noisescope`, or name it in {VARIABLE}"
    )


def run(*arguments: str, sessions: Sessions = None) -> str:
    """Runs a command to its end, and returns its standard output. What the program remarks on its
    results, such as that shards are missing from them, becomes a warning.

    Raises:
        Error: if it fails, with the program's message.
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
        raise Error(f"{command[0]} cannot be started: {error}") from error
    if done.returncode == 0:
        for line in done.stderr.splitlines():
            if line.startswith(SAYS):
                warnings.warn(line[len(SAYS) :], stacklevel=3)
        return done.stdout
    message = done.stderr.strip()
    for prefix in (SAYS, "error: "):
        if message.startswith(prefix):
            message = message[len(prefix) :]
    raise Error(message or f"{' '.join(command)} ended with code {done.returncode}")


@contextlib.contextmanager
def scratch() -> Iterator[Path]:
    """A temporary folder for the program's output, removed afterwards."""
    with tempfile.TemporaryDirectory(prefix="noisescope-") as folder:
        yield Path(folder)
