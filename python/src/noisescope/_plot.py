"""Drawing with matplotlib, in the program's colours. Knows arrays and titles only."""

from __future__ import annotations

import functools
import importlib
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ._program import Error

Floats = npt.NDArray[np.float64]

#: Pictures in a row.
ACROSS = 10

#: Maximum number of units of a layer that are drawn.
MOST_UNITS = 100

#: Minimum reliability of a map that counts for the shared scale.
TRUSTED = 0.5

#: How many times shorter than the shared scale a trusted map's must be for it to get its own.
FAINT = 6.0


def _matplotlib(module: str) -> Any:
    try:
        return importlib.import_module(f"matplotlib.{module}")
    except ImportError as error:
        raise Error(
            "drawing needs matplotlib, which is not installed: pip install noisescope[plot]"
        ) from error


@functools.cache
def colours() -> Any:
    """The program's colour map on a light background, for ``imshow(…, cmap=…)``: blue below zero,
    grey at zero, orange above; lightness and chroma (in OKLCh) are the same on both sides."""
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
    """The end of a scale: the next round number at or above a value."""
    if not (math.isfinite(value) and value > 0):
        return 1.0
    decade = 10.0 ** math.floor(math.log10(value))
    steps = (1.0, 1.2, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0)
    return next((s * decade for s in steps if s * decade >= value * (1 - 1e-6)), 10.0 * decade)


def reach(array: Floats) -> float:
    """The largest finite distance from zero; 0 if there is none."""
    finite = np.abs(array[np.isfinite(array)])
    return float(finite.max()) if finite.size else 0.0


def limits(reaches: list[float], reliability: list[float]) -> list[float]:
    """The ends of the scales of maps side by side. They share one, which is set by the reliable
    maps; a reliable map that would be uniformly grey on it gets its own."""
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
    """Axes without ticks for ``count`` pictures: the given ones, else new ones."""
    if count == 0:
        raise Error("nothing is selected, so there is nothing to draw")
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
            raise Error(f"there are {count} pictures, but only {len(all_axes)} Axes were given")
        all_axes = all_axes[:count]
    for axes in all_axes:
        axes.set_xticks([])
        axes.set_yticks([])
    return all_axes


def one_or_array(all_axes: list[Any]) -> Any:
    """A single Axes itself, several as an array."""
    return all_axes[0] if len(all_axes) == 1 else np.array(all_axes, dtype=object)


def signed(axes: Any, image: Floats, limit: float) -> Any:
    """Draws a signed image; grey is zero."""
    return axes.imshow(image, cmap=colours(), vmin=-limit, vmax=limit, interpolation="nearest")


def around_grey(image: Floats, limit: float) -> Floats:
    """A signed map [3,h,w] as colours added to mid-grey, [h,w,3]."""
    return np.moveaxis(np.clip(0.5 + 0.5 * image / limit, 0.0, 1.0), 0, -1)


def field(axes: Any, image: Floats, limit: float) -> None:
    """Draws what a unit responds to; three channels in colour around grey."""
    if image.ndim == 3 and image.shape[0] == 3:
        axes.imshow(around_grey(image, limit), interpolation="nearest")
    else:
        signed(axes, image.mean(axis=0) if image.ndim == 3 else image, limit)


def _outline(axes: Any, chosen: npt.NDArray[np.bool_]) -> None:
    """Draws strokes along the edges of the chosen pixels."""
    padded = np.pad(chosen, 1)
    upright = np.argwhere(padded[1:-1, 1:] != padded[1:-1, :-1])
    level = np.argwhere(padded[1:, 1:-1] != padded[:-1, 1:-1])
    strokes = [[(c - 0.5, r - 0.5), (c - 0.5, r + 0.5)] for r, c in upright]
    strokes += [[(c - 0.5, r - 0.5), (c + 0.5, r - 0.5)] for r, c in level]
    lines = _matplotlib("collections").LineCollection(strokes, colors="black", linewidths=0.9)
    axes.add_collection(lines, autolim=False)


def map_caption(reliability: float, gamma: float | None) -> str:
    """The caption of a map: ``γ 0.2 R 0.95``; without what is None or NaN."""
    words = [] if gamma is None else [f"γ {gamma:g}"]
    if not math.isnan(reliability):
        digits = 3 if 0.995 <= reliability < 0.9995 else 2
        words.append(f"R {reliability:.{digits}f}")
    return " ".join(words)


@dataclass(frozen=True)
class MapPicture:
    """One map to draw, [row, column], NaN if there were too few trials."""

    title: str
    image: Floats
    reliability: float
    #: Significant pixels, which may be outlined.
    significant: npt.NDArray[np.bool_]


def maps(
    pictures: Sequence[MapPicture],
    ax: Any,
    *,
    across: int,
    signed_scale: bool,
    outline: bool,
    label: str | None,
) -> Any:
    """Draws maps side by side, or channels of one map, whose colour bar has the ``label``."""
    all_axes = grid(len(pictures), ax, across)
    one_map = label is not None
    reaches = [reach(picture.image) for picture in pictures]
    if one_map:
        ends = [round_up(max(reaches))] * len(reaches)
    else:
        ends = limits(reaches, [picture.reliability for picture in pictures])
    for axes, picture, end in zip(all_axes, pictures, ends):
        axes.set_title(picture.title, fontsize="medium" if one_map else "small")
        if np.isnan(picture.image).all():
            axes.text(0.5, 0.5, "too few", ha="center", va="center", transform=axes.transAxes)
            axes.set_aspect("equal")
            continue
        if signed_scale:
            drawn = signed(axes, picture.image, end)
        else:
            drawn = axes.imshow(
                picture.image, cmap="Greys", vmin=0.0, vmax=end, interpolation="nearest"
            )
        if outline and signed_scale:
            _outline(axes, picture.significant)
        if one_map and axes is all_axes[-1]:
            axes.figure.colorbar(drawn, ax=all_axes, label=label)
        elif not one_map and end != max(ends):
            # Its scale is its own, which the picture must say.
            box = {"facecolor": "white", "edgecolor": "none", "pad": 0.5}
            axes.text(0, 0, f"±{end:g}", transform=axes.transAxes, fontsize=6, bbox=box)
    return one_or_array(all_axes)


def units(images: Floats, titles: Sequence[str], ax: Any) -> Any:
    """Draws the images of a layer's first units, each on its own scale; NaN for silent units."""
    count = min(len(images), MOST_UNITS)
    all_axes = grid(count, ax, size=1.0)
    for axes, title, image in zip(all_axes, titles, images):
        axes.set_title(title, fontsize="x-small")
        if np.isnan(image).all():
            axes.text(0.5, 0.5, "silent", ha="center", va="center", transform=axes.transAxes)
            axes.set_aspect("equal")
        else:
            field(axes, image, round_up(reach(image)))
    return one_or_array(all_axes)


def axes_of_units(pictures: Sequence[tuple[str, Floats]], ax: Any) -> Any:
    """Draws titled images of axes, each on its own scale."""
    all_axes = grid(len(pictures), ax)
    for axes, (title, image) in zip(all_axes, pictures):
        axes.set_title(title, fontsize="small")
        field(axes, image, round_up(reach(image)))
    return one_or_array(all_axes)


def confusion(counts: npt.NDArray[np.int64], classes: Sequence[str], title: str, ax: Any) -> Any:
    """Draws a matrix of counts by true and called class, shaded by share of the row."""
    axes = grid(1, ax)[0]
    rows = np.maximum(counts.sum(axis=1, keepdims=True), 1)
    shares = counts / rows
    axes.imshow(shares, cmap="Greys", vmin=0.0, vmax=1.0, interpolation="nearest")
    if len(classes) <= 30:
        axes.set_xticks(range(len(classes)), classes, rotation=90, fontsize="small")
        axes.set_yticks(range(len(classes)), classes, fontsize="small")
    if len(classes) <= 12:
        for (row, column), n in np.ndenumerate(counts):
            colour = "white" if shares[row, column] > 0.5 else "black"
            if n:
                axes.text(column, row, n, ha="center", va="center", color=colour, fontsize=7)
    axes.set_xlabel("called")
    axes.set_ylabel("true")
    axes.set_title(title)
    return axes


def trials(images: Floats, titles: Sequence[str], ax: Any) -> Any:
    """Draws images with values from 0 to 1, [n, (channels,) row, column]."""
    all_axes = grid(len(images), ax)
    for axes, image, title in zip(all_axes, images, titles):
        image = np.moveaxis(image, 0, -1) if image.ndim == 3 else image
        if image.ndim == 3 and image.shape[-1] != 3:
            image = image.mean(axis=-1)
        axes.imshow(np.clip(image, 0.0, 1.0), cmap="gray", vmin=0.0, vmax=1.0)
        axes.set_title(title, fontsize="small")
    return one_or_array(all_axes)
