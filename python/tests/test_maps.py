from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import export

import noisescope


def test_maps_have_named_axes(maps: noisescope.Maps) -> None:
    assert maps.axes == ("gamma", "class", "row", "column")
    assert maps.values.shape == maps.z.shape == maps.se.shape == (2, 3, 4, 5)
    assert maps.reliability.shape == (2, 3)
    assert maps.gamma.tolist() == [0.0, 0.2]
    assert maps.classes == ("Dress", "Coat", "Sandal")
    assert maps.unit == "logits per full range of a pixel"


def test_one_value_takes_an_axis_away_and_a_list_keeps_it(maps: noisescope.Maps) -> None:
    one = maps.sel(gamma=0.2)
    assert one.axes == ("class", "row", "column") and one.gamma.tolist() == [0.2, 0.2, 0.2]
    two = maps.sel(classes=["Sandal", "Dress"])
    assert two.axes == maps.axes and two.classes == ("Sandal", "Dress")
    assert np.array_equal(two.values[1], maps.values[1][[2, 0]])
    assert two.called[1].tolist() == [103, 90]
    kept = maps.sel(gamma=[0.2])
    assert kept.gamma.tolist() == [0.2] and kept.values.shape == (1, 3, 4, 5)


def test_one_class_at_one_gamma_is_a_map(maps: noisescope.Maps) -> None:
    map_ = maps.sel(gamma=0.2, classes="Dress")
    assert isinstance(map_, noisescope.Map) and map_.name == "Dress"
    assert map_.axes == ("row", "column") and map_.values.shape == (4, 5)
    assert np.array_equal(map_.values, maps.values[1, 0])
    assert float(map_.reliability) == 0.5 and float(map_.gamma) == 0.2
    assert float(map_.threshold) == 2.5
    assert np.allclose(map_.values / map_.se, map_.z)


@pytest.mark.parametrize(
    "wanted", ["Coat", "coat", "co", 1, np.int64(1), np.float64(1), np.array(1)]
)
def test_a_class_goes_by_name_beginning_or_number(maps: noisescope.Maps, wanted: str) -> None:
    assert maps.sel(classes=wanted).classes == ("Coat",)


def test_a_gamma_of_other_maps_selects_the_same(maps: noisescope.Maps) -> None:
    map_ = maps.sel(gamma=0.2, classes="Dress")
    wanted: list[Any] = [map_.gamma, np.float32(0.2), maps.gamma[1]]
    for gamma in wanted:
        assert np.array_equal(maps.sel(gamma=gamma).values, maps.values[1])
    assert np.array_equal(maps.sel(gamma=maps.gamma).values, maps.values, equal_nan=True)


def test_a_mask_is_not_taken_for_numbers(maps: noisescope.Maps) -> None:
    mask = np.array([False, True, True])
    assert maps.sel(classes=np.flatnonzero(mask)).classes == ("Coat", "Sandal")
    masks: list[dict[str, Any]] = [{"classes": mask}, {"gamma": [False, True]}]
    for select in masks:
        with pytest.raises(noisescope.Error, match=r"by a mask: numpy.flatnonzero\(mask\)"):
            maps.sel(**select)
    with pytest.raises(noisescope.Error, match="1.7 is not a whole number"):
        maps.sel(classes=np.array([1.7]))


def test_no_class_is_refused(maps: noisescope.Maps) -> None:
    with pytest.raises(noisescope.Error, match="no class is selected; there are Dress, Coat"):
        maps.sel(classes=[])
    with pytest.raises(noisescope.Error, match="nothing to draw"):
        maps.sel(gamma=[]).plot()


def test_what_is_not_there_is_said_with_what_is(maps: noisescope.Maps) -> None:
    with pytest.raises(noisescope.Error, match="no class `Boot`; there are Dress, Coat, Sandal"):
        maps.sel(classes="Boot")
    with pytest.raises(noisescope.Error, match="there are 0 to 2"):
        maps.sel(classes=3)
    with pytest.raises(noisescope.Error, match=r"no γ 0.3; there are 0, 0.2"):
        maps.sel(gamma=0.3)
    with pytest.raises(noisescope.Error, match="no axis `channel`"):
        maps.sel(channel=0)
    with pytest.raises(noisescope.Error, match="no axis `gamma`"):
        maps.sel(gamma=0.2).sel(gamma=0.2)


def test_best_takes_each_class_at_its_most_reliable_gamma(maps: noisescope.Maps) -> None:
    best = maps.best()
    assert best.axes == ("class", "row", "column")
    assert best.gamma.tolist() == [0.0, 0.2, 0.2]
    assert best.reliability.tolist() == [0.9, 0.8, 0.4]
    assert np.array_equal(best.values[0], maps.values[0, 0])
    assert np.array_equal(best.values[1], maps.values[1, 1])
    assert float(maps.sel(classes="coat").best().gamma) == 0.2
    assert best.sel(classes="Coat").values.shape == (4, 5)


def test_a_class_that_no_gamma_suffices_for_is_taken_where_most_were_called_it(
    written: Callable[..., Path],
) -> None:
    arrays = export()
    arrays["ev_image"][:, 2] = np.nan
    arrays["ev_called"][:, 2] = [20, 3]
    maps = noisescope.load(written(arrays)).maps()
    # A γ with a signal is preferred to γ 0.
    assert maps.best().gamma.tolist() == [0.0, 0.2, 0.2]
    assert not maps.best().is_there[2]


def test_insufficient_maps_are_nan_and_counted(maps: noisescope.Maps) -> None:
    assert maps.is_there.tolist() == [[True, True, False], [True, True, True]]
    assert "5 of 6 maps exist" in repr(maps)
    assert "too few trials" in repr(maps.sel(gamma=0, classes="Sandal"))


def test_a_map_says_what_is_known_of_its_reliability(written: Callable[..., Path]) -> None:
    arrays = export()
    assert "reliability 0.50 (0.40–0.55)>" in repr(maps_of(written(arrays)))
    for name in ("ev_reliability_low", "ev_reliability_high"):
        arrays[name][:] = np.nan
    assert repr(maps_of(written(arrays))).endswith(", reliability 0.50>")
    arrays["ev_reliability"][:] = np.nan
    assert repr(maps_of(written(arrays))).endswith(", reliability not known yet>")


def maps_of(path: Path) -> noisescope.Maps:
    return noisescope.load(path).maps().sel(gamma=0.2, classes="Dress")


def test_maps_are_arrays(maps: noisescope.Maps) -> None:
    assert np.array_equal(np.asarray(maps), maps.values, equal_nan=True)
    assert np.asarray(maps, dtype=np.float32).dtype == np.float32
    with pytest.raises(ValueError, match="read-only"):
        maps.values[0] = 1.0


def test_channels_have_an_axis(written: Callable[..., Path]) -> None:
    maps = noisescope.load(written(export(channels=3))).maps("decision")
    assert maps.axes == ("gamma", "class", "channel", "row", "column")
    green = maps.sel(channel="green")
    assert green.axes == ("gamma", "class", "row", "column")
    assert np.array_equal(green.values, maps.values[:, :, 1], equal_nan=True)
    assert green.reliability.shape == (2, 3)
    map_ = maps.sel(gamma=0.2, classes=0, channel=2)
    assert np.array_equal(map_.values, maps.values[1, 0, 2])


def test_a_response_or_images_that_there_are_not_are_said(written: Callable[..., Path]) -> None:
    arrays = {name: it for name, it in export().items() if not name.startswith("ev_")}
    session = noisescope.load(written(arrays))
    with pytest.raises(noisescope.Error, match='no evidence images .*response="decision"'):
        session.maps()
    with pytest.raises(
        noisescope.Error, match="has no set 2 of classification images; the plan has 1"
    ):
        session.maps("decision", images=2)
    with pytest.raises(noisescope.Error, match="`evidenc` is not a response"):
        session.maps("evidenc")
