"""What the units of a layer respond to: spike-triggered averages and covariances."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from . import _plot
from ._array import AsArray
from ._choice import listed, whole
from ._npz import Arrays
from ._program import Error

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Filters(AsArray):
    """Spike-triggered averages of a layer's units. NaN for units that never fired."""

    session: str
    layer: str
    #: Names of the axes of ``values``: ``unit``, ``channel`` (if several), ``row``, ``column``.
    axes: tuple[str, ...]
    #: The numbers of the units, [units].
    units: npt.NDArray[np.int64]
    #: The mean noise that a unit responds to.
    values: Floats
    #: The same for images; None if none were shown.
    on_images: Floats | None
    #: The layer's kernels, which its averages should equal; None if it has none.
    kernel: Floats | None
    #: Pearson's r of average and kernel, [units]; None if the layer has no kernel.
    kernel_r: Floats | None
    #: Split-half reliability by Spearman–Brown, [units]; NaN if unknown.
    reliability: Floats

    @property
    def silent(self) -> npt.NDArray[np.bool_]:
        """Which units never fired, [units]."""
        return np.asarray(np.isnan(self.values).all(axis=tuple(range(1, self.values.ndim))))

    def sel(self, units: int | Iterable[int]) -> Filters:
        """Selects units by number; the axis stays."""
        wanted = [whole(unit) for unit in listed(units)[0]]
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
        """Draws the first 100 of them, each on its own scale.

        Args:
            ax: one matplotlib Axes for each unit; new ones by default.
            what: ``noise``, ``images`` or ``kernel``.
        """
        arrays = {"noise": self.values, "images": self.on_images, "kernel": self.kernel}
        array = arrays.get(what)
        if array is None:
            raise Error(
                f"`{what}` cannot be drawn; choose noise, images, or kernel if the layer has one"
            )
        titles = [
            f"{unit} {_plot.map_caption(float(r), None)}"
            for unit, r in zip(self.units, self.reliability)
        ]
        return _plot.units(array, titles, ax)

    def __repr__(self) -> str:
        shape = ", ".join(f"{axis} {size}" for axis, size in zip(self.axes, self.values.shape))
        return (
            f"<noisescope.Filters: spike-triggered averages of {self.layer} in {self.session}\n"
            f"  axes: {shape}\n  {int(self.silent.sum())} silent>"
        )


@dataclass(frozen=True, eq=False)
class Covariance(AsArray):
    """Axes along which the noise that a unit responds to varies more, or less, than all noise:
    those with eigenvalues that chance does not explain, farthest from zero first. NaN if a unit
    has fewer of them than another."""

    session: str
    layer: str
    #: Names of the axes of ``values``: ``unit``, ``axis``, ``channel`` (if several), ``row``,
    #: ``column``.
    axes: tuple[str, ...]
    #: The numbers of the units, [units].
    units: npt.NDArray[np.int64]
    #: The axes, of unit length.
    values: Floats
    #: Their eigenvalues, [units, axes]: above 0 the variance is larger than for all noise.
    eigenvalues: Floats
    #: The smallest and the largest eigenvalue that chance explains, [units, 2].
    bounds: Floats
    #: All eigenvalues, ascending, [units, pixels].
    spectrum: Floats

    def plot(self, ax: Any = None) -> Any:
        """Draws every axis under its eigenvalue."""
        pictures = [
            (f"unit {unit}\n{self.eigenvalues[u, a]:+.3g}", self.values[u, a])
            for u, unit in enumerate(self.units)
            for a in range(self.values.shape[1])
            if np.isfinite(self.values[u, a]).any()
        ]
        if not pictures:
            raise Error(f"no axis of {self.layer} exceeds chance, so there is nothing to draw")
        return _plot.axes_of_units(pictures, ax)

    def __repr__(self) -> str:
        shape = ", ".join(f"{axis} {size}" for axis, size in zip(self.axes, self.values.shape))
        return (
            f"<noisescope.Covariance: spike-triggered covariance of {self.layer} in "
            f"{self.session}\n  axes: {shape}>"
        )


def names(arrays: Arrays, prefix: str = "sta") -> list[str]:
    """The layers of an export. Other arrays of a layer have no average on images beside them."""
    begin = f"{prefix}_"
    averages = [name for name in arrays if name.startswith(begin) and f"image_{name}" in arrays]
    return [name[len(begin) :] for name in averages]


def filters(arrays: Arrays, session: str, layer: str, number: int) -> Filters:
    """Reads the spike-triggered averages of one layer."""
    prefix = "sta" if number == 1 else f"sta{number}"
    name = f"{prefix}_{layer}"
    layers = names(arrays, prefix)
    if not layers:
        raise Error(f"{arrays.source} holds no spike-triggered averages")
    if layer not in layers:
        raise Error(f"there is no layer `{layer}`; there are {', '.join(layers)}")

    def known(what: str) -> Floats | None:
        # If another layer has that name, the program numbers this array.
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
    """Reads the spike-triggered covariance of units of one layer."""
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
