"""Finds indices along an axis by what a person would write: a class by name, a γ by value."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Union

import numpy as np
import numpy.typing as npt

from ._program import Error

#: How far apart two numbers may be that are the same γ, as from float32 or from arithmetic.
TOLERANCE = 1e-6

#: One class: its name or the beginning of its name, not case-sensitive; or its number.
Class = Union[str, int]


def listed(wanted: Any) -> tuple[list[Any], bool]:
    """What to select, as a list, and whether it was a single thing: also a number of NumPy, or its
    array without axes."""
    if isinstance(wanted, str) or getattr(wanted, "ndim", 1) == 0:
        return [wanted], True
    return (list(wanted), False) if isinstance(wanted, Iterable) else ([wanted], True)


def whole(wanted: Any) -> int:
    """A number that counts something."""
    _refuse_mask(wanted)
    try:
        number = int(wanted)
    except (TypeError, ValueError, OverflowError) as error:
        raise Error(f"{wanted!r} is not a number") from error
    if number != wanted:
        raise Error(f"{wanted} is not a whole number")
    return number


def _refuse_mask(wanted: object) -> None:
    """The values of a mask would pass for the numbers 0 and 1."""
    if isinstance(wanted, (bool, np.bool_)):
        raise Error(f"{wanted} is not a number; to select by a mask: numpy.flatnonzero(mask)")


def class_place(classes: Sequence[str], wanted: Class) -> int:
    """The index of a class among these."""
    if not isinstance(wanted, str):
        place = whole(wanted)
        if 0 <= place < len(classes):
            return place
        raise Error(f"there is no class {place}; there are 0 to {len(classes) - 1}")
    if wanted in classes:
        return list(classes).index(wanted)
    lower = wanted.casefold()
    folded = [name.casefold() for name in classes]
    for found in (
        [place for place, name in enumerate(folded) if name == lower],
        [place for place, name in enumerate(folded) if lower and name.startswith(lower)],
    ):
        if len(found) == 1:
            return found[0]
        if found:
            names = ", ".join(classes[place] for place in found)
            raise Error(f"`{wanted}` is ambiguous: {names}")
    raise Error(f"there is no class `{wanted}`; there are {shortened(classes)}")


def gamma_place(gammas: npt.NDArray[np.float64], wanted: float) -> int:
    """The index of a signal strength among these."""
    _refuse_mask(wanted)
    found = np.flatnonzero(np.isclose(gammas, float(wanted), rtol=0.0, atol=TOLERANCE))
    if len(found) == 0:
        raise Error(f"there is no γ {wanted:g}; there are {', '.join(f'{g:g}' for g in gammas)}")
    return int(found[0])


def channel_place(channels: int, wanted: Class) -> int:
    """The index of a channel: its number, or ``red``, ``green`` or ``blue`` if there are three."""
    return class_place(channel_names(channels), wanted)


def channel_names(channels: int) -> list[str]:
    """The names of channels: colours if there are three, else numbers."""
    return ["red", "green", "blue"] if channels == 3 else [str(c) for c in range(channels)]


def shortened(names: Sequence[str], most: int = 12) -> str:
    """A list as text, shortened if it is long."""
    more = f", … ({len(names)} in total)" if len(names) > most else ""
    return ", ".join(names[:most]) + more
