"""Single trials: what was shown, and the network's outputs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from . import _plot
from ._npz import Arrays
from ._program import Error

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Trials:
    """Recreated trials of a session: what was shown, and the network's outputs for it."""

    session: str
    #: The names of the classes, in order.
    classes: tuple[str, ...]
    #: All arrays by name; also ``block``, ``trial`` and ``image``, the origin of each.
    arrays: Mapping[str, npt.NDArray[Any]]
    #: What was shown, [trials, (channels,) rows, columns], 0 black to 1 white.
    stimuli: Floats
    #: The noise in it, on the noise's grid, which may be coarse or grey.
    noise: Floats
    #: The class that each is called, [trials].
    called: npt.NDArray[np.int64]
    #: The class of the image in each, [trials]; −1 where there is none, at γ = 0.
    true: npt.NDArray[np.int64]
    #: The softmax probability of that class, [trials].
    confidence: Floats
    #: The logits, [trials, classes].
    outputs: Floats
    #: The signal strength.
    gamma: float

    def caption(self, at: int) -> str:
        """A caption for one trial: ``8 called 3``."""
        image = self.classes[self.true[at]] if self.true[at] >= 0 else "noise"
        return f"{image} called {self.classes[self.called[at]]}"

    def plot(self, ax: Any = None, *, what: str = "stimuli") -> Any:
        """Draws them; ``what``: ``stimuli`` or ``noise``."""
        if what not in ("stimuli", "noise"):
            raise Error(f"`{what}` cannot be drawn; choose stimuli or noise")
        if not len(self):
            raise Error("there are no such trials to draw")
        pictures = self.stimuli if what == "stimuli" else self.noise
        return _plot.trials(pictures, [self.caption(at) for at in range(len(pictures))], ax)

    def __len__(self) -> int:
        return len(self.stimuli)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> npt.NDArray[Any]:
        array = self.stimuli if dtype is None else self.stimuli.astype(dtype, copy=False)
        return array.copy() if copy else array

    def __repr__(self) -> str:
        shape = " × ".join(str(size) for size in self.stimuli.shape[1:])
        words = f"{len(self)} trials of {self.session} at γ {self.gamma:g}, {shape}"
        return f"<noisescope.Trials: {words}>"


def read(arrays: Arrays, session: str) -> Trials:
    """Reads the trials of an export."""
    try:
        return Trials(
            session=session,
            classes=tuple(str(name) for name in arrays["classes"]),
            arrays=arrays,
            stimuli=arrays["stimuli"],
            noise=arrays["noise"],
            called=arrays["called"],
            true=arrays["truth"],
            confidence=arrays["confidence"],
            outputs=arrays["outputs"],
            gamma=float(arrays["gamma"]),
        )
    except KeyError as error:
        raise Error(
            f"{arrays.source} has no `{error.args[0]}`; it has {', '.join(arrays)}"
        ) from error
