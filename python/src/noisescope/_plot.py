"""Pictures by matplotlib, in the program's own colours."""

from __future__ import annotations

import functools
import importlib
import math
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ._program import Error

if TYPE_CHECKING:
    from ._layers import Covariance, Filters
    from ._maps import Maps
    from ._tables import Confusion
    from ._trials import Trials

Floats = npt.NDArray[np.float64]

#: Pictures in a row.
ACROSS = 10

#: Most units of a layer drawn.
MOST_UNITS = 100

#: Reliability from which a map has a say in the scale that it shares.
TRUSTED = 0.5

#: How many times shorter than the shared scale a trusted map's must be for it to have its own.
FAINT = 6.0


def _matplotlib(module: str) -> Any:
    try:
        return importlib.import_module(f"matplotlib.{module}")
    except ImportError as error:
        raise Error(
            "drawing needs matplotlib, which is not here: pip install noisescope[plot]"
        ) from error


@functools.cache
def colours() -> Any:
    """The program's scale on a light background, for ``imshow(…, cmap=…)``: blue below zero, grey
    at zero, orange above; lightness and chroma (in OKLCh) are the same on both sides of zero."""
    places = np.linspace(-1.0, 1.0, 255)
    return _matplotlib("colors").ListedColormap([_ramp(t) for t in places], name="noisescope")


def _ramp(t: float) -> tuple[float, float, float]:
    size = abs(t)
    lightness = 0.95 - 0.45 * size
    chroma = 0.125 * max(math.sin(size * math.pi / 2.0 * 1.35), 0.0) ** 0.9
    hue = math.radians(62.0 if t > 0 else 248.0)
    while True:
        linear = _linear(lightness, chroma * math.cos(hue), chroma * math.sin(hue))
        if chroma < 1e-3 or all(-1e-3 <= c <= 1.001 for c in linear):
            red, green, blue = (_encode(min(max(c, 0.0), 1.0)) for c in linear)
            return red, green, blue
        chroma *= 0.97


def _linear(lightness: float, a: float, b: float) -> tuple[float, float, float]:
    """Linear sRGB of a colour in OKLab (Ottosson 2020)."""
    x = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3
    y = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3
    z = (lightness - 0.0894841775 * a - 1.2914855480 * b) ** 3
    return (
        4.0767416621 * x - 3.3077115913 * y + 0.2309699292 * z,
        -1.2684380046 * x + 2.6097574011 * y - 0.3413193965 * z,
        -0.0041960863 * x - 0.7034186147 * y + 1.7076147010 * z,
    )


def _encode(linear: float) -> float:
    return 12.92 * linear if linear <= 0.0031308 else 1.055 * linear ** (1 / 2.4) - 0.055


def round_up(value: float) -> float:
    """The round number at or above a value at which a scale ends."""
    if not (math.isfinite(value) and value > 0):
        return 1.0
    decade = 10.0 ** math.floor(math.log10(value))
    steps = (1.0, 1.2, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0)
    return next((s * decade for s in steps if s * decade >= value * (1 - 1e-6)), 10.0 * decade)


def reach(array: Floats) -> float:
    """The largest distance from zero; 0 where there is none."""
    finite = np.abs(array[np.isfinite(array)])
    return float(finite.max()) if finite.size else 0.0


def limits(reaches: list[float], reliability: list[float]) -> list[float]:
    """Where the scales of maps side by side end. They share one, whose end the reliable ones
    decide; a reliable one that would be one grey on it has its own."""
    trusted = [r >= TRUSTED for r in reliability]
    common = round_up(
        max((m for m, is_trusted in zip(reaches, trusted) if is_trusted or not any(trusted)))
    )
    ends = []
    for most, is_trusted in zip(reaches, trusted):
        end = round_up(most)
        ends.append(end if is_trusted and most > 0 and end < common / FAINT else common)
    return ends


def grid(count: int, ax: Any, across: int = ACROSS, size: float = 1.5) -> list[Any]:
    """Axes for so many pictures without ticks: those given, else new ones."""
    if ax is None:
        columns = min(count, across)
        rows = -(-count // columns)
        _, made = _matplotlib("pyplot").subplots(
            rows,
            columns,
            squeeze=False,
            figsize=(5.0, 4.2) if count == 1 else (columns * size, rows * (size + 0.45)),
            layout="constrained",
        )
        for spare in made.flat[count:]:
            spare.remove()
        all_axes = list(made.flat[:count])
    else:
        _matplotlib("pyplot")
        all_axes = list(np.atleast_1d(np.asarray(ax, dtype=object)).flat)
        if len(all_axes) < count:
            raise Error(f"there are {count} pictures, and {len(all_axes)} Axes were given for them")
        all_axes = all_axes[:count]
    for axes in all_axes:
        axes.set_xticks([])
        axes.set_yticks([])
    return all_axes


def given_back(all_axes: list[Any]) -> Any:
    """One Axes as it is, several as an array."""
    return all_axes[0] if len(all_axes) == 1 else np.array(all_axes, dtype=object)


def signed(axes: Any, image: Floats, limit: float) -> Any:
    """A signed picture; grey is zero."""
    return axes.imshow(image, cmap=colours(), vmin=-limit, vmax=limit, interpolation="nearest")


def around_grey(image: Floats, limit: float) -> Floats:
    """A signed map [3,h,w] as the colours that it adds to mid-grey, [h,w,3]."""
    return np.moveaxis(np.clip(0.5 + 0.5 * image / limit, 0.0, 1.0), 0, -1)


def field(axes: Any, image: Floats, limit: float) -> None:
    """What a unit looks for, on a scale of its own; of three channels in colour around grey."""
    if image.ndim == 3 and image.shape[0] == 3:
        axes.imshow(around_grey(image, limit), interpolation="nearest")
    else:
        signed(axes, image.mean(axis=0) if image.ndim == 3 else image, limit)


def _outline(axes: Any, chosen: npt.NDArray[np.bool_]) -> None:
    """Strokes along the edge of chosen pixels."""
    padded = np.pad(chosen, 1)
    upright = np.argwhere(padded[1:-1, 1:] != padded[1:-1, :-1])
    level = np.argwhere(padded[1:, 1:-1] != padded[:-1, 1:-1])
    strokes = [[(c - 0.5, r - 0.5), (c - 0.5, r + 0.5)] for r, c in upright]
    strokes += [[(c - 0.5, r - 0.5), (c + 0.5, r - 0.5)] for r, c in level]
    lines = _matplotlib("collections").LineCollection(strokes, colors="black", linewidths=0.9)
    axes.add_collection(lines, autolim=False)


def _caption(reliability: float, gamma: float | None) -> str:
    words = [] if gamma is None else [f"γ {gamma:g}"]
    if not math.isnan(reliability):
        digits = 3 if 0.995 <= reliability < 0.9995 else 2
        words.append(f"R {reliability:.{digits}f}")
    return " ".join(words)


def maps(shown: Maps, ax: Any, what: str, outline: bool | None) -> Any:
    """Pictures of maps; see ``Maps.plot``."""
    from ._choice import channel_names

    if what not in ("values", "z", "se", "regression"):
        raise Error(f"`{what}` cannot be drawn: values, z, se or regression")
    array = getattr(shown, what)
    if array is None:
        raise Error("these maps have no regression: their noise does not smooth")
    lead = shown.reliability.ndim
    count, size = max(1, shown.reliability.size), array.shape[lead:]
    all_maps = array.reshape(count, *size)
    z = shown.z.reshape(count, *size)
    # Classes are the last of what maps are told apart by.
    names = shown.classes * (count // len(shown.classes))
    gamma, r, threshold = (it.ravel() for it in (shown._gamma, shown.reliability, shown.threshold))
    titles = []
    mixed = len(np.unique(gamma)) > 1 or count == 1
    for at in range(count):
        known = _caption(float(r[at]), float(gamma[at]) if mixed else None)
        titles.append(f"{names[at]}\n{known}" if count > 1 else f"{names[at]}   {known}")
    if len(size) == 3 and count == 1:
        # One map of several channels: a picture each.
        colours_of = channel_names(size[0])
        titles = [f"{titles[0]}\n{colour}" for colour in colours_of]
        all_maps, z = all_maps[0], z[0]
        r, threshold = (np.repeat(it, size[0]) for it in (r, threshold))
    elif len(size) == 3:
        # Several maps of several channels: what each says about bright and dark.
        all_maps, z = all_maps.mean(axis=1), np.full_like(all_maps[:, 0], np.nan)
    rows_by_gamma = "gamma" in shown.axes and "class" in shown.axes
    across = min(len(shown.classes), 2 * ACROSS) if rows_by_gamma else ACROSS
    all_axes = grid(len(all_maps), ax, across)
    reaches = [reach(one) for one in all_maps]
    one_map = count == 1
    ends = [round_up(max(reaches))] * len(reaches) if one_map else limits(reaches, list(r))
    outlined = one_map if outline is None else outline
    for at, axes in enumerate(all_axes):
        axes.set_title(titles[at], fontsize="medium" if one_map else "small")
        if np.isnan(all_maps[at]).all():
            axes.text(0.5, 0.5, "too few", ha="center", va="center", transform=axes.transAxes)
            axes.set_aspect("equal")
            continue
        if what == "se":
            drawn = axes.imshow(
                all_maps[at], cmap="Greys", vmin=0.0, vmax=ends[at], interpolation="nearest"
            )
        else:
            drawn = signed(axes, all_maps[at], ends[at])
        if outlined and what != "se":
            _outline(axes, np.abs(z[at]) > threshold[at])
        if one_map and at == len(all_axes) - 1:
            units = {"z": "z", "values": shown.unit, "se": shown.unit, "regression": shown.unit}
            axes.figure.colorbar(drawn, ax=all_axes, label=units[what])
        elif not one_map and ends[at] != max(ends):
            # Its scale is its own, which the picture must say.
            box = {"facecolor": "white", "edgecolor": "none", "pad": 0.5}
            axes.text(0, 0, f"±{ends[at]:g}", transform=axes.transAxes, fontsize=6, bbox=box)
    return given_back(all_axes)


def filters(shown: Filters, ax: Any, what: str) -> Any:
    """Pictures of units; see ``Filters.plot``."""
    array = {"noise": shown.values, "images": shown.on_images, "kernel": shown.kernel}.get(what)
    if array is None:
        raise Error(
            f"`{what}` cannot be drawn: noise, or images, or kernel where the layer has one"
        )
    count = min(len(array), MOST_UNITS)
    all_axes = grid(count, ax, size=1.0)
    for at, axes in enumerate(all_axes):
        r = float(shown.reliability[at])
        axes.set_title(f"{shown.units[at]} {_caption(r, None)}", fontsize="x-small")
        if np.isnan(array[at]).all():
            axes.text(0.5, 0.5, "silent", ha="center", va="center", transform=axes.transAxes)
            axes.set_aspect("equal")
        else:
            field(axes, array[at], round_up(reach(array[at])))
    return given_back(all_axes)


def covariance(shown: Covariance, ax: Any) -> Any:
    """Pictures of axes; see ``Covariance.plot``."""
    pictures = [
        (f"unit {unit}\n{shown.eigenvalues[u, a]:+.3g}", shown.values[u, a])
        for u, unit in enumerate(shown.units)
        for a in range(shown.values.shape[1])
        if np.isfinite(shown.values[u, a]).any()
    ]
    if not pictures:
        raise Error(f"no axis of {shown.layer} stands out from chance, so there is none to draw")
    all_axes = grid(len(pictures), ax)
    for axes, (title, image) in zip(all_axes, pictures):
        axes.set_title(title, fontsize="small")
        field(axes, image, round_up(reach(image)))
    return given_back(all_axes)


def confusion(shown: Confusion, ax: Any) -> Any:
    """A matrix; see ``Confusion.plot``."""
    axes = grid(1, ax)[0]
    rows = np.maximum(shown.counts.sum(axis=1, keepdims=True), 1)
    shares = shown.counts / rows
    axes.imshow(shares, cmap="Greys", vmin=0.0, vmax=1.0, interpolation="nearest")
    count = len(shown.classes)
    if count <= 30:
        axes.set_xticks(range(count), shown.classes, rotation=90, fontsize="small")
        axes.set_yticks(range(count), shown.classes, fontsize="small")
    if count <= 12:
        for (row, column), n in np.ndenumerate(shown.counts):
            colour = "white" if shares[row, column] > 0.5 else "black"
            if n:
                axes.text(column, row, n, ha="center", va="center", color=colour, fontsize=7)
    axes.set_xlabel("called")
    axes.set_ylabel("true")
    axes.set_title(f"{shown.accuracy:.1%} of {shown.counts.sum():,} images")
    return axes


def trials(shown: Trials, ax: Any, what: str) -> Any:
    """Pictures of trials; see ``Trials.plot``."""
    if what not in ("stimuli", "noise"):
        raise Error(f"`{what}` cannot be drawn: stimuli or noise")
    if not len(shown):
        raise Error("there are no such trials, so there is none to draw")
    pictures = shown.stimuli if what == "stimuli" else shown.noise
    all_axes = grid(len(pictures), ax)
    for at, axes in enumerate(all_axes):
        image = pictures[at]
        image = np.moveaxis(image, 0, -1) if image.ndim == 3 else image
        if image.ndim == 3 and image.shape[-1] != 3:
            image = image.mean(axis=-1)
        axes.imshow(np.clip(image, 0.0, 1.0), cmap="gray", vmin=0.0, vmax=1.0)
        axes.set_title(shown.caption(at), fontsize="small")
    return given_back(all_axes)
