"""Reads the files that ``noisescope export --format npz`` writes."""

from __future__ import annotations

import io
import json
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from ._program import Error

#: The newest format of these files that this module reads.
FORMAT = 1


class Arrays(Mapping[str, npt.NDArray[Any]]):
    """The arrays of an export by name, each unpacked when it is first used. Read-only."""

    def __init__(self, data: bytes, source: str) -> None:
        self.source = source
        self._data = data
        try:
            self._file = np.load(io.BytesIO(data), allow_pickle=False)
            self._names = list(self._file.files)
        except (ValueError, OSError, EOFError, AttributeError, zipfile.BadZipFile) as error:
            raise Error(f"{source} is not an NPZ file of noisescope: {error}") from error
        self._read: dict[str, npt.NDArray[Any]] = {}
        self.meta = self._meta()

    def _meta(self) -> dict[str, Any]:
        if "meta" not in self._names:
            raise Error(
                f"{self.source} was written by an older program: it has no `meta`, which names "
                "the axes. Export it again with a program of this version: "
                "noisescope export NAME --format npz"
            )
        try:
            meta = json.loads(self["meta"].item())
            form = int(meta["format"])
        except (ValueError, TypeError, KeyError) as error:
            raise Error(f"`meta` of {self.source} cannot be read: {error}") from error
        if form > FORMAT:
            raise Error(
                f"{self.source} was written by a newer program, in format {form}; this module reads "
                f"up to {FORMAT}: pip install --upgrade noisescope"
            )
        if "session" not in meta:
            raise Error(
                f"{self.source} is not of one session, but of two that were compared: read it with "
                "numpy.load"
            )
        assert isinstance(meta, dict)
        return meta

    def axes(self, name: str) -> tuple[str, ...]:
        """The names of an array's axes."""
        axes = self.meta.get("axes", {}).get(name)
        if axes is None or len(axes) != self[name].ndim:
            raise Error(f"`meta` of {self.source} does not name the axes of `{name}`")
        return tuple(str(axis) for axis in axes)

    def unit(self, name: str) -> str:
        """The unit of an array's numbers; empty if they have none."""
        return str(self.meta.get("units", {}).get(name) or "")

    def __getitem__(self, name: str) -> npt.NDArray[Any]:
        if name not in self._read:
            if name not in self._names:
                raise KeyError(name)
            try:
                array = self._file[name]
            except (ValueError, OSError, EOFError, zipfile.BadZipFile, zlib.error) as error:
                raise Error(f"`{name}` of {self.source} cannot be read: {error}") from error
            array.flags.writeable = False
            self._read[name] = array
        return self._read[name]

    def __reduce__(self) -> tuple[type[Arrays], tuple[bytes, str]]:
        # The open file cannot be pickled.
        return type(self), (self._data, self.source)

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)

    def __repr__(self) -> str:
        return f"<noisescope arrays of {self.source}: {', '.join(self._names)}>"
