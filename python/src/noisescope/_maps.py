"""Classification images and evidence images with named axes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from . import _plot
from ._array import AsArray
from ._choice import (
    Class,
    channel_names,
    channel_place,
    class_place,
    gamma_place,
    listed,
    shortened,
)
from ._npz import Arrays
from ._program import Error

Floats = npt.NDArray[np.float64]

PREFIXES = {"decision": "ci", "evidence": "ev"}
LABELS = {"decision": "classification image", "evidence": "evidence image"}


@dataclass(frozen=True, eq=False)
class Maps(AsArray):
    """Maps of one response of the network, with the statistics of each.

    ``axes`` names the axes of ``values``: ``gamma`` and ``class`` first, unless a single one was
    selected, then ``channel`` (only if there are several), ``row`` and ``column``. Statistics of a
    map as a whole (``reliability`` and others) have ``gamma`` and ``class`` alone. NaN marks
    classes with too few trials.
    """

    #: The session that they come from.
    session: str
    #: ``decision`` or ``evidence``.
    response: str
    #: The unit of ``values``; empty if unknown.
    unit: str
    #: Names of the axes of ``values``, ``z`` and ``se``.
    axes: tuple[str, ...]
    #: The names of the classes, in order.
    classes: tuple[str, ...]
    #: The maps.
    values: Floats
    #: The maps over their standard errors.
    z: Floats
    #: Their standard errors.
    se: Floats
    #: Split-half reliability by Spearman–Brown, −1 to 1; NaN if there is no map.
    reliability: Floats
    #: The ends of its 95 % interval.
    reliability_low: Floats
    reliability_high: Floats
    #: Signal-to-noise ratio.
    snr: Floats
    #: Number of pixels beyond the threshold.
    significant: Floats
    #: Trials that were called the class.
    called: Floats
    #: \|z\| beyond which a pixel is significant, two-sided, 5 % for the whole map.
    threshold: Floats
    _gamma: Floats
    #: Maps without the noise's smoothing; None if it does not smooth.
    regression: Floats | None = None

    @property
    def gamma(self) -> Floats:
        """Signal strengths: along the axis ``gamma`` if there is one, else that of each map."""
        if "gamma" in self.axes and "class" in self.axes:
            return self._gamma[:, 0]
        return self._gamma

    def sel(
        self,
        *,
        gamma: float | Iterable[float] | None = None,
        classes: Class | Iterable[Class] | None = None,
        channel: Class | None = None,
    ) -> Maps:
        """Selects maps. A single value removes its axis, a list keeps it.

        Args:
            gamma: a signal strength, or several.
            classes: a class by its name, the beginning of its name, or its number; or several.
            channel: a channel by number, or ``red``, ``green``, ``blue``.

        Raises:
            Error: if there is no such thing; names those that exist.
        """
        maps = self
        if gamma is not None:
            at = maps._axis("gamma")
            gammas, is_single = listed(gamma)
            places = [gamma_place(self.gamma, one) for one in gammas]
            maps = maps._take(at, places[0] if is_single else places)
        if classes is not None:
            at = maps._axis("class")
            chosen, is_single = listed(classes)
            if not chosen:
                raise Error(f"no class is selected; there are {shortened(self.classes)}")
            places = [class_place(self.classes, one) for one in chosen]
            names = tuple(self.classes[place] for place in places)
            maps = replace(maps._take(at, places[0] if is_single else places), classes=names)
        if channel is not None:
            at = maps._axis("channel")
            maps = maps._take(at, channel_place(self.values.shape[self._axis("channel")], channel))
        return maps._single()

    def best(self) -> Maps:
        """Each class at the γ at which its map is most reliable; if none has a map, at the γ at
        which most trials were called the class."""
        self._axis("gamma")
        count = len(self._gamma)
        gamma, called, reliability, is_there = (
            array.reshape(count, -1)
            for array in (self._gamma, self.called, self.reliability, self.is_there)
        )

        def worth(g: int, k: int) -> tuple[bool, float, float]:
            if is_there[g, k]:
                r = float(reliability[g, k])
                return True, -1.0 if np.isnan(r) else r, float(called[g, k])
            return False, float(gamma[g, k] > 0 and called[g, k] > 0), float(called[g, k])

        order = [max(range(count), key=lambda g: worth(g, k)) for k in range(gamma.shape[1])]
        if "class" not in self.axes:
            return self._take(0, order[0])._single()
        places = np.array(order, dtype=int), np.arange(len(order))
        return replace(self._each(lambda array: array[places]), axes=self.axes[1:])

    @property
    def is_there(self) -> npt.NDArray[np.bool_]:
        """Which maps exist; the others had too few trials, or are not in the plan."""
        inner = tuple(range(len(self._leading), self.values.ndim))
        return np.asarray(~np.isnan(self.values).all(axis=inner))

    @property
    def _leading(self) -> tuple[str, ...]:
        return tuple(axis for axis in self.axes if axis in ("gamma", "class"))

    def _axis(self, name: str) -> int:
        if name not in self.axes:
            raise Error(f"these maps have no axis `{name}`; they have {', '.join(self.axes)}")
        return self.axes.index(name)

    def _take(self, at: int, places: int | list[int]) -> Maps:
        whole = at >= len(self._leading)
        index = (slice(None),) * at + (places,)

        def taken(array: Floats) -> Floats:
            if whole and array.ndim < self.values.ndim:
                return array
            return np.asarray(array[index])

        axes = self.axes
        if isinstance(places, int):
            axes = axes[:at] + axes[at + 1 :]
        return replace(self._each(taken), axes=axes)

    def _each(self, change: Any) -> Maps:
        """Applies the same change to all arrays."""
        arrays = {field.name: getattr(self, field.name) for field in fields(self)}
        changed = {name: change(it) for name, it in arrays.items() if isinstance(it, np.ndarray)}
        return replace(self, **changed)

    def _single(self) -> Maps:
        if self._leading or isinstance(self, Map):
            return self
        return Map(**{field.name: getattr(self, field.name) for field in fields(self)})

    def plot(self, ax: Any = None, *, what: str = "values", outline: bool | None = None) -> Any:
        """Draws them: blue below zero, orange above, classes and reliabilities as titles.

        Args:
            ax: a matplotlib Axes, or as many as there are maps; new ones by default.
            what: ``values``, ``z``, ``se`` or ``regression``.
            outline: whether pixels beyond ``threshold`` are outlined; by default those of a single
                map are, as in the program.

        Returns:
            The Axes; an array if there are several pictures.
        """
        units = {"values": self.unit, "z": "z", "se": self.unit, "regression": self.unit}
        if what not in units:
            raise Error(f"`{what}` cannot be drawn; choose values, z, se or regression")
        array = getattr(self, what)
        if array is None:
            raise Error("these maps have no regression: their noise does not smooth")
        one_map = self.reliability.size == 1
        across = _plot.ACROSS
        if "gamma" in self.axes and "class" in self.axes:
            # A row for each γ.
            across = min(len(self.classes), 2 * across)
        return _plot.maps(
            self._pictures(array),
            ax,
            across=across,
            signed_scale=what != "se",
            outline=one_map if outline is None else outline,
            label=units[what] if one_map else None,
        )

    def _pictures(self, array: Floats) -> list[_plot.MapPicture]:
        """One picture per map; for a single map of several channels, one per channel."""
        count, size = self.reliability.size, self.values.shape[self.reliability.ndim :]
        images, z = array.reshape(count, *size), self.z.reshape(count, *size)
        # Classes are the last axis along which maps differ.
        names = self.classes * (count // len(self.classes))
        r, threshold = self.reliability.ravel(), self.threshold.ravel()
        gammas = self._gamma.ravel()
        several_gammas = len(np.unique(gammas)) > 1 or count == 1
        titles = []
        for name, reliability, gamma in zip(names, r, gammas):
            caption = _plot.map_caption(float(reliability), gamma if several_gammas else None)
            titles.append(f"{name}\n{caption}" if count > 1 else f"{name}   {caption}")
        if len(size) == 3 and count == 1:
            titles = [f"{titles[0]}\n{channel}" for channel in channel_names(size[0])]
            images, z = images[0], z[0]
            r, threshold = np.repeat(r, size[0]), np.repeat(threshold, size[0])
        elif len(size) == 3:
            # Several maps of several channels: their means over channels, without outlines.
            images, z = images.mean(axis=1), np.full_like(images[:, 0], np.nan)
        return [
            _plot.MapPicture(titles[at], images[at], float(r[at]), np.abs(z[at]) > threshold[at])
            for at in range(len(images))
        ]

    def __repr__(self) -> str:
        shape = [f"{axis} {size}" for axis, size in zip(self.axes, self.values.shape)]
        there, all_maps = int(self.is_there.sum()), self.is_there.size
        lines = [f"<noisescope.{type(self).__name__}: {LABELS[self.response]}s of {self.session}"]
        lines[0] += f", in {self.unit}" if self.unit else ""
        lines.append(f"  axes: {', '.join(shape)}")
        lines.append(f"  gamma: {', '.join(f'{gamma:g}' for gamma in np.unique(self.gamma))}")
        lines.append(f"  classes: {shortened(self.classes)}")
        known = self.reliability[~np.isnan(self.reliability)]
        if known.size:
            lines.append(f"  reliability: {known.min():.2f} to {known.max():.2f}")
        if there < all_maps:
            lines.append(f"  {there} of {all_maps} maps exist; the others are NaN")
        return "\n".join(lines) + ">"


class Map(Maps):
    """The map of one class at one γ. Its statistics are arrays without axes, which ``float()``
    accepts."""

    @property
    def name(self) -> str:
        """The name of its class."""
        return self.classes[0]

    def __repr__(self) -> str:
        shape = " × ".join(str(size) for size in self.values.shape)
        label, r = LABELS[self.response], float(self.reliability)
        low, high = float(self.reliability_low), float(self.reliability_high)
        if not self.is_there:
            known = "too few trials: NaN"
        elif np.isnan(r):
            known = "reliability not known yet"
        else:
            known = f"reliability {r:.2f}"
            known += "" if np.isnan(low) else f" ({low:.2f}–{high:.2f})"
        return (
            f"<noisescope.Map: {label} of `{self.name}` in {self.session} at γ "
            f"{float(self.gamma):g}, {shape} ({', '.join(self.axes)}), {known}>"
        )


def read(arrays: Arrays, session: str, response: str, images: int) -> Maps:
    """Reads the maps of an export."""
    if response not in PREFIXES:
        raise Error(f"`{response}` is not a response; choose `evidence` or `decision`")
    number = "" if images == 1 else str(images)
    prefix = f"{PREFIXES[response]}{number}"
    if f"{prefix}_image" not in arrays:
        raise Error(_missing(arrays, response, images))
    values = arrays[f"{prefix}_image"]
    axes = arrays.axes(f"{prefix}_image")
    if axes[:2] != ("gamma", "class"):
        raise Error(f"the axes of `{prefix}_image` are {', '.join(axes)}, not gamma, class, …")
    lead = values.shape[:2]
    gamma = np.broadcast_to(arrays[f"ci{number}_gamma"][:, None], lead)

    def known(name: str) -> npt.NDArray[Any]:
        array = arrays.get(f"{prefix}_{name}")
        if array is None:
            raise Error(
                f"{arrays.source} has no `{prefix}_{name}`: it was written by another version of the "
                "program than this module expects; export it again"
            )
        return array

    def floats(name: str) -> Floats:
        return known(name).astype(np.float64)

    return Maps(
        session=session,
        response=response,
        unit=arrays.unit(f"{prefix}_image"),
        axes=axes,
        classes=tuple(str(name) for name in arrays["classes"]),
        values=values,
        z=known("z"),
        se=known("se"),
        reliability=floats("reliability"),
        reliability_low=floats("reliability_low"),
        reliability_high=floats("reliability_high"),
        snr=floats("snr"),
        significant=floats("significant"),
        called=floats("called"),
        threshold=np.broadcast_to(floats("threshold")[:, None], lead),
        _gamma=gamma,
        regression=arrays.get(f"{prefix}_regression"),
    )


def _missing(arrays: Arrays, response: str, images: int) -> str:
    number = "" if images == 1 else str(images)
    if f"ci{number}_gamma" not in arrays:
        counts = sum(name.startswith("ci") and name.endswith("_gamma") for name in arrays)
        if counts == 0:
            return f"{arrays.source} holds no maps: its plan has none, or none has started"
        return (
            f"{arrays.source} has no set {images} of classification images; the plan has {counts}"
        )
    return (
        f"{arrays.source} holds no {LABELS[response]}s of these trials; "
        f'those by the other response: response="{_other(response)}"'
    )


def _other(response: str) -> str:
    return "decision" if response == "evidence" else "evidence"
