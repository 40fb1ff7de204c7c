"""Figures as the program draws them."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from ._program import Error


@dataclass(frozen=True)
class Figure:
    """A figure as the program draws it; a notebook displays SVG and PNG."""

    name: str
    #: ``svg``, ``pdf`` or ``png``.
    format: str
    data: bytes
    #: The caption for a paper.
    caption: str
    #: The alternative text, for readers who cannot see it.
    alternative: str

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes it to a file."""
        Path(path).write_bytes(self.data)

    def _repr_svg_(self) -> str | None:
        return self.data.decode("utf-8") if self.format == "svg" else None

    def _repr_png_(self) -> bytes | None:
        return self.data if self.format == "png" else None

    def __repr__(self) -> str:
        return f"<noisescope.Figure {self.name}, {self.format}, {len(self.data):,} bytes>"


def read(folder: Path, name: str, form: str) -> Figure:
    """Reads the figure that an export wrote to a folder, with its caption."""
    files = sorted(folder.glob(f"*.{form}"))
    if len(files) != 1:
        names = ", ".join(file.stem for file in files) or "none"
        raise Error(f"`{name}` names {len(files)} figures, but only one can be shown: {names}")
    (file,) = files
    beside = file.with_suffix(".txt")
    text = beside.read_text(encoding="utf-8") if beside.is_file() else ""
    caption, _, alternative = text.partition("\n\nAlternative text: ")
    return Figure(file.stem, form, file.read_bytes(), caption.strip(), alternative.strip())
