from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import export

import noisescope

#: Covariances of the evidence for three classes.
COVARIANCE = np.array([[4.0, 1.0, 0.0], [1.0, 9.0, -2.0], [0.0, -2.0, 1.0]])


def with_covariance(channels: int = 1) -> dict[str, Any]:
    """An export with covariances; at γ 0 the third class has no image, so none of it."""
    arrays = export(channels)
    covariance = np.array([COVARIANCE, 2.0 * COVARIANCE])
    covariance[0, 2], covariance[0, :, 2] = np.nan, np.nan
    # As the program writes them: float32 as float64.
    for name in ("ev_image", "ev_se"):
        arrays[name] = arrays[name].astype(np.float32).astype(np.float64)
    meta = json.loads(str(arrays["meta"]))
    meta["axes"]["ev_covariance"] = ["gamma", "class", "other class"]
    arrays["meta"] = np.array(json.dumps(meta))
    return {**arrays, "ev_covariance": covariance}


@pytest.mark.parametrize("channels", [1, 3])
def test_a_contrast_is_a_difference_with_the_error_of_both(
    written: Callable[..., Path], channels: int
) -> None:
    session = noisescope.load(written(with_covariance(channels)))
    maps, contrast = session.maps(), session.contrast("coat", "Dress")
    assert contrast.axes == ("gamma", *maps.axes[2:])
    assert contrast.classes == ("Coat rather than Dress",)
    difference = maps.values[:, 1] - maps.values[:, 0]
    assert np.allclose(contrast.values, difference, atol=1e-6)
    # The variance of the difference is 4 + 9 − 2, that of the first 9.
    assert np.allclose(contrast.se, maps.se[:, 1] * np.sqrt(11.0 / 9.0))
    assert np.allclose(contrast.z, contrast.values / contrast.se)
    inner = tuple(range(1, difference.ndim))
    noise = np.square(contrast.se).sum(axis=inner)
    snr = np.square(difference).sum(axis=inner) / noise - 1.0
    assert np.allclose(contrast.snr, snr)
    assert np.allclose(contrast.reliability, np.maximum(snr, 0) / (1 + np.maximum(snr, 0)))
    past = np.abs(contrast.z) > maps.threshold[:, 0].reshape(-1, *(1,) * len(inner))
    assert np.array_equal(contrast.significant, past.sum(axis=inner))


def test_a_contrast_is_selected_and_described_as_maps_are(written: Callable[..., Path]) -> None:
    session = noisescope.load(written(with_covariance()))
    map_ = session.contrast(0, 1).sel(gamma=0.2)
    assert isinstance(map_, noisescope.Map) and map_.name == "Dress rather than Coat"
    assert "`Dress rather than Coat` in clothes at γ 0.2, 4 × 5" in repr(map_)


def test_a_contrast_with_a_class_without_a_map_is_nan(written: Callable[..., Path]) -> None:
    contrast = noisescope.load(written(with_covariance())).contrast("Sandal", "Coat")
    assert contrast.is_there.tolist() == [False, True]
    for array in (contrast.values, contrast.z, contrast.se, contrast.significant):
        assert np.isnan(array[0]).all() and not np.isnan(array[1]).any()
    assert np.isnan(contrast.reliability).tolist() == [True, False]


def test_a_pixel_without_an_error_has_no_z(written: Callable[..., Path]) -> None:
    arrays = with_covariance()
    arrays["ev_se"][1, 0, 2, 3] = np.nan
    contrast = noisescope.load(written(arrays)).contrast("Dress", "Coat")
    assert contrast.z[1, 2, 3] == 0.0 and np.isnan(contrast.se[1, 2, 3])
    assert not np.isnan(contrast.values[1]).any() and np.isfinite(contrast.snr[1])


def test_what_has_no_contrast_is_said(written: Callable[..., Path]) -> None:
    session = noisescope.load(written(with_covariance()))
    with pytest.raises(noisescope.Error, match="`Coat` has no contrast with itself; there are"):
        session.contrast("coat", 1)
    with pytest.raises(noisescope.Error, match="there is no class `Boot`"):
        session.contrast("coat", "Boot")
    with pytest.raises(noisescope.Error, match="no `ev_covariance`.*older program"):
        noisescope.load(written(export())).contrast(0, 1)
