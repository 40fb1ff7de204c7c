"""Tables of the program's CSV export as columns of NumPy, and the confusion matrix."""

from __future__ import annotations

import csv
import html
import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from . import _plot
from ._choice import TOLERANCE, Class, class_place, shortened
from ._program import Error

#: Columns that are text even if every field is a number, like the names of MNIST's classes.
TEXT = {"name", "layer", "noise", "response", "on", "text", "pattern", "split", "role"}

#: Above this, float64 does not represent every integer.
EXACT = 2**53

#: Rows displayed in a notebook.
SHOWN = 10


class Table(dict[str, npt.NDArray[Any]]):
    """Columns by name: float64 with NaN for missing values, text as str, true and false as bool.
    Integers above 2⁵³ (seeds) are uint64. ``pandas.DataFrame(table)`` accepts it."""

    def __init__(self, name: str, columns: dict[str, npt.NDArray[Any]]) -> None:
        super().__init__(columns)
        self.name = name

    @property
    def columns(self) -> list[str]:
        """The names of the columns."""
        return list(self)

    @property
    def rows(self) -> int:
        """The number of rows."""
        return len(next(iter(self.values()))) if self else 0

    def where(self, **equal: str | float | bool) -> Table:
        """The rows in which columns have these values: ``table.where(pattern="random", target=3)``.
        Of numbers with a fraction, rounding is ignored: ``table.where(gamma=0.1 + 0.2)``."""
        keep = np.ones(self.rows, dtype=bool)
        for name, value in equal.items():
            if name not in self:
                raise Error(f"{self.name} has no column `{name}`; it has {', '.join(self)}")
            keep &= _equal(name, self[name], value)
        return Table(self.name, {name: column[keep] for name, column in self.items()})

    def __repr__(self) -> str:
        return f"<noisescope.Table {self.name}: {self.rows:,} rows of {', '.join(self)}>"

    def _repr_html_(self) -> str:
        cell = html.escape
        head = "".join(f"<th>{cell(name)}</th>" for name in self)
        body = "".join(
            "<tr>"
            + "".join(f"<td>{cell(_shown(column[row]))}</td>" for column in self.values())
            + "</tr>"
            for row in range(min(self.rows, SHOWN))
        )
        more = f"<p>{SHOWN} of {self.rows:,} rows</p>" if self.rows > SHOWN else ""
        return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{more}"


def _equal(name: str, column: npt.NDArray[Any], value: Any) -> Any:
    """Where a column has this value, of floats up to rounding."""
    kind = np.asarray(value).dtype.kind
    if column.dtype.kind != "f" or kind not in "iuf":
        return column == value
    wanted = float(value)
    # γ as in ``Maps.sel``; of others, such as p or learning rates, small ones differ too.
    tolerance = TOLERANCE if name == "gamma" else max(TOLERANCE * min(1.0, abs(wanted)), 1e-12)
    return np.isclose(column, wanted, rtol=0.0, atol=tolerance)


def _shown(value: Any) -> str:
    if isinstance(value, (float, np.floating)):
        return "" if np.isnan(value) else f"{value:.6g}"
    return str(value)


def parse(name: str, text: str) -> Table:
    """Parses a table of the program's CSV export."""
    lines = list(csv.reader(io.StringIO(text, newline="")))
    if not lines:
        return Table(name, {})
    head, rows = lines[0], lines[1:]
    if any(len(row) != len(head) for row in rows):
        raise Error(f"the table {name} has rows of different lengths")
    columns = {column: _column(column, [row[at] for row in rows]) for at, column in enumerate(head)}
    return Table(name, columns)


def _column(name: str, values: list[str]) -> npt.NDArray[Any]:
    if name in TEXT or name.endswith("_name"):
        return np.array(values, dtype=np.str_)
    if values and all(value in ("true", "false") for value in values):
        return np.array([value == "true" for value in values], dtype=np.bool_)
    try:
        numbers = [float(value) if value else np.nan for value in values]
    except ValueError:
        return np.array(values, dtype=np.str_)
    if values and all(value.isdecimal() for value in values):
        whole = [int(value) for value in values]
        if EXACT < max(whole) < 2**64:
            return np.array(whole, dtype=np.uint64)
    return np.array(numbers, dtype=np.float64)


def read(folder: Path) -> dict[str, Table]:
    """Reads the tables in a folder, by name, in the order of their names."""
    files = sorted(folder.glob("*.csv"))
    return {file.stem: parse(file.stem, _text(file)) for file in files}


def _text(file: Path) -> str:
    with file.open(encoding="utf-8", newline="") as stream:
        return stream.read()


@dataclass(frozen=True, eq=False)
class Confusion:
    """How many images of each class were called each class."""

    session: str
    classes: tuple[str, ...]
    #: Images, [true class, called].
    counts: npt.NDArray[np.int64]

    axes = ("true class", "called")

    @property
    def accuracy(self) -> float:
        """The share of images classified correctly; NaN without images."""
        total = int(self.counts.sum())
        return float(np.trace(self.counts)) / total if total else float("nan")

    def of(self, true: Class, called: Class) -> int:
        """Images of one class that were called another."""
        row, column = class_place(self.classes, true), class_place(self.classes, called)
        return int(self.counts[row, column])

    def plot(self, ax: Any = None) -> Any:
        """Draws it; the shade of a cell is its share of the row."""
        title = f"{self.accuracy:.1%} of {self.counts.sum():,} images"
        return _plot.confusion(self.counts, self.classes, title, ax)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> npt.NDArray[Any]:
        array = self.counts if dtype is None else self.counts.astype(dtype, copy=False)
        return array.copy() if copy else array

    def __repr__(self) -> str:
        return (
            f"<noisescope.Confusion: {self.counts.sum():,} images of {self.session}, "
            f"{self.accuracy:.1%} correct; classes {shortened(self.classes)}>"
        )
