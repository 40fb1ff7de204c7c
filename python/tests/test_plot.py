from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from conftest import export

import noisescope
from noisescope import _plot


def test_without_matplotlib_it_says_how_to_get_it(
    maps: noisescope.Maps, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    with pytest.raises(noisescope.Error, match=r"pip install noisescope\[plot\]"):
        maps.plot()


def test_scales_end_at_round_numbers_and_hide_no_reliable_map() -> None:
    assert [_plot.round_up(v) for v in (0.0173, 0.9, 11.3, 0.0)] == pytest.approx([0.02, 1, 12, 1])
    ends = _plot.limits([0.15, 0.0002, 0.0, 0.05], [0.9, 0.87, np.nan, 0.7])
    assert ends == pytest.approx([0.15, 0.0002, 0.15, 0.15])
    assert _plot.limits([0.1, 3.0, 0.001], [0.8, 0.1, 0.2]) == pytest.approx([0.1] * 3)


def test_colours_are_blue_below_zero_and_orange_above() -> None:
    pytest.importorskip("matplotlib")
    below, zero, above = (noisescope.colours()(place)[:3] for place in (0.05, 0.5, 0.95))
    assert below[2] > below[0] + 0.3 and above[0] > above[2] + 0.3
    assert max(zero) - min(zero) < 0.02 and min(zero) > 0.9


def test_one_map_is_outlined_where_it_is_significant(maps: noisescope.Maps) -> None:
    pytest.importorskip("matplotlib")
    map_ = maps.sel(gamma=0.2, classes="Dress")
    axes = map_.plot()
    (picture,), (outline,) = axes.images, axes.collections
    assert np.array_equal(picture.get_array(), map_.values)
    low, high = picture.get_clim()
    assert low == -high and high >= np.abs(map_.values).max()
    # Each stroke separates a pixel beyond the threshold from one that is not, or from the outside.
    significant = np.pad(np.abs(map_.z) > float(map_.threshold), 1)
    strokes = outline.get_segments()
    edges = (significant[1:] != significant[:-1]).sum() + (
        significant[:, 1:] != significant[:, :-1]
    ).sum()
    assert len(strokes) == edges > 0
    for (x0, y0), (x1, y1) in strokes:
        column, row = round(max(x0, x1) + 0.5 + (x0 == x1)), round(max(y0, y1) + 0.5 + (y0 == y1))
        beside = significant[row, column - 1] if x0 == x1 else significant[row - 1, column]
        assert significant[row, column] != beside
    assert axes.get_title() == "Dress   γ 0.2 R 0.50"
    assert not map_.plot(outline=False).collections


def test_every_kind_of_selection_can_be_drawn(written: Callable[..., Path]) -> None:
    pyplot = pytest.importorskip("matplotlib.pyplot")
    for channels in (1, 2, 3):
        maps = noisescope.load(written(export(channels))).maps()
        assert maps.plot().shape == (6,)
        assert maps.best().plot(what="z").shape == (3,)
        assert maps.sel(gamma=0.2).plot(outline=True).shape == (3,)
        assert maps.sel(classes="Coat").plot(what="se").shape == (2,)
        one = maps.sel(gamma=0, classes="Sandal").plot()
        assert np.size(one) == channels
        pyplot.close("all")


def test_titles_say_class_and_reliability(maps: noisescope.Maps) -> None:
    pytest.importorskip("matplotlib")
    titles = [axes.get_title() for axes in maps.sel(gamma=0.2).plot()]
    assert titles == ["Dress\nR 0.50", "Coat\nR 0.80", "Sandal\nR 0.40"]
    titles = [axes.get_title() for axes in maps.best().plot()]
    assert titles[0] == "Dress\nγ 0 R 0.90"
    missing = maps.sel(gamma=0).plot()[2]
    assert missing.texts[0].get_text() == "too few"


def test_axes_that_are_given_are_drawn_on(maps: noisescope.Maps) -> None:
    pyplot = pytest.importorskip("matplotlib.pyplot")
    figure, axes = pyplot.subplots(1, 3)
    assert list(maps.best().plot(axes)) == list(axes)
    with pytest.raises(noisescope.Error, match="6 pictures, but only 3 Axes"):
        maps.plot(axes)
    single = figure.add_subplot()
    assert maps.sel(gamma=0.2, classes=0).plot(single) is single


def test_trials_can_be_drawn(program: Path) -> None:
    pytest.importorskip("matplotlib")
    trials = noisescope.load("clothes").trials(called="Coat")
    for what in ("stimuli", "noise"):
        assert trials.plot(what=what)[1].get_title() == "noise called Coat"


def test_layers_and_the_confusion_can_be_drawn(session: noisescope.Session) -> None:
    pytest.importorskip("matplotlib")
    filters = session.filters("conv1")
    assert filters.plot().shape == filters.plot(what="kernel").shape == (2,)
    assert np.size(filters.sel(0).plot(what="images")) == 1
    with pytest.raises(noisescope.Error, match="`kernel` cannot be drawn"):
        session.filters("fc_kernel").plot(what="kernel")
    assert session.covariance("conv1").plot().shape == (2,)
    assert session.confusion is not None
    assert session.confusion.plot().get_title() == "83.3% of 30 images"
