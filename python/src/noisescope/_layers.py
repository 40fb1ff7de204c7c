"""What the units of a layer look for: spike-triggered averages and covariances."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from . import _plot
from ._array import AsArray
from ._npz import Arrays
from ._program import Error

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Filters(AsArray):
    """Spike-triggered averages of a layer's units. NaN where a unit never fired."""

    session: str
    layer: str
    #: Names of the axes of ``values``: ``unit``, ``channel`` (of several), ``row``, ``column``.
    axes: tuple[str, ...]
    #: The numbers of the units, [units].
    units: npt.NDArray[np.int64]
    #: The mean noise that a unit responds to.
    values: Floats
    #: The same of images; None where none were shown.
    on_images: Floats | None
    #: The kernels of the layer, which its averages should be; None where it has none.
    kernel: Floats | None
    #: Pearson's r of average and kernel, [units]; None where the layer has no kernel.
    kernel_r: Floats | None
    #: Split halves, stepped up by Spearman–Brown, [units]; NaN where it is not known.
    reliability: Floats

    @property
    def silent(self) -> npt.NDArray[np.bool_]:
        """Which units never fired, [units]."""
        return np.asarray(np.isnan(self.values).reshape(len(self.values), -1).all(axis=1))

    def sel(self, units: int | Sequence[int]) -> Filters:
        """Some of the units, by number; the axis stays."""
        wanted = [int(units)] if isinstance(units, (int, np.integer)) else [int(u) for u in units]
        known = self.units.tolist()
        for unit in wanted:
            if unit not in known:
                raise Error(f"{self.layer} has no unit {unit} here; it has {len(known)}")
        at = [known.index(unit) for unit in wanted]
        arrays: dict[str, Any] = {it.name: getattr(self, it.name) for it in fields(self)}
        chosen: dict[str, Any] = {
            name: it[at] for name, it in arrays.items() if isinstance(it, np.ndarray)
        }
        return replace(self, **chosen)

    def plot(self, ax: Any = None, *, what: str = "noise") -> Any:
        """Draws the first 100 of them, each on a scale of its own.

        Args:
            ax: as many Axes of matplotlib as there are units; new ones where there are none.
            what: ``noise``, ``images`` or ``kernel``.
        """
        return _plot.filters(self, ax, what)

    def __repr__(self) -> str:
        shape = ", ".join(f"{axis} {size}" for axis, size in zip(self.axes, self.values.shape))
        return (
            f"<noisescope.Filters: spike-triggered averages of {self.layer} in {self.session}\n"
            f"  axes: {shape}\n  {int(self.silent.sum())} silent>"
        )


@dataclass(frozen=True, eq=False)
class Covariance(AsArray):
    """Axes along which the noise that a unit responds to varies more, or less, than all noise:
    those of the eigenvalues that chance does not explain, farthest from zero first. NaN where a
    unit has fewer of them than another."""

    session: str
    layer: str
    #: Names of the axes of ``values``: ``unit``, ``axis``, ``channel`` (of several), ``row``,
    #: ``column``.
    axes: tuple[str, ...]
    #: The numbers of the units, [units].
    units: npt.NDArray[np.int64]
    #: The axes at unit length.
    values: Floats
    #: Their eigenvalues, [units, axes]: above 0 the variance is larger than that of all noise.
    eigenvalues: Floats
    #: The least and the largest eigenvalue that chance explains, [units, 2].
    bounds: Floats
    #: All eigenvalues, ascending, [units, pixels].
    spectrum: Floats

    def plot(self, ax: Any = None) -> Any:
        """Draws every axis under its eigenvalue."""
        return _plot.covariance(self, ax)

    def __repr__(self) -> str:
        shape = ", ".join(f"{axis} {size}" for axis, size in zip(self.axes, self.values.shape))
        return (
            f"<noisescope.Covariance: spike-triggered covariance of {self.layer} in "
            f"{self.session}\n  axes: {shape}>"
        )


def names(arrays: Arrays, prefix: str = "sta") -> list[str]:
    """The layers of an export. What else is said of a layer has no average on images."""
    begin = f"{prefix}_"
    averages = [name for name in arrays if name.startswith(begin) and f"image_{name}" in arrays]
    return [name[len(begin) :] for name in averages]


def filters(arrays: Arrays, session: str, layer: str, number: int) -> Filters:
    """The spike-triggered averages of one layer."""
    prefix = "sta" if number == 1 else f"sta{number}"
    name = f"{prefix}_{layer}"
    layers = names(arrays, prefix)
    if not layers:
        raise Error(f"{arrays.source} holds no spike-triggered averages")
    if layer not in layers:
        raise Error(f"there is no layer `{layer}`; there are: {', '.join(layers)}")

    def known(what: str) -> Floats | None:
        # Where another layer has that name, the program numbers what is said of this one.
        taken = f"{layer}_{what}" in layers
        return arrays.get(f"{name}_{what}_2" if taken else f"{name}_{what}")

    values = arrays[name]
    reliability = known("reliability")
    return Filters(
        session=session,
        layer=layer,
        axes=arrays.axes(name),
        units=np.arange(len(values), dtype=np.int64),
        values=values,
        on_images=arrays.get(f"image_{name}"),
        kernel=known("kernel"),
        kernel_r=known("kernel_r"),
        reliability=np.full(len(values), np.nan) if reliability is None else reliability,
    )


def covariance(arrays: Arrays, session: str, layer: str, number: int) -> Covariance:
    """The spike-triggered covariance of units of one layer."""
    prefix = "stc" if number == 1 else f"stc{number}"
    begin, end = f"{prefix}_", "_axes"
    if f"{begin}{layer}{end}" not in arrays:
        named = [name for name in arrays if name.startswith(begin) and name.endswith(end)]
        there = ", ".join(name[len(begin) : -len(end)] for name in named)
        hint = f"; there is one of {there}" if there else ""
        raise Error(f"{arrays.source} holds no spike-triggered covariance of `{layer}`{hint}")
    return Covariance(
        session=session,
        layer=layer,
        axes=arrays.axes(f"{begin}{layer}{end}"),
        units=arrays[f"{begin}{layer}_units"],
        values=arrays[f"{begin}{layer}{end}"],
        eigenvalues=arrays[f"{begin}{layer}_eigenvalues"],
        bounds=arrays[f"{begin}{layer}_bounds"],
        spectrum=arrays[f"{begin}{layer}_spectrum"],
    )
