"""What speaks for one class rather than another: the difference of two evidence images."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from . import _maps
from ._choice import Class, class_place, shortened
from ._maps import Floats, Maps
from ._npz import Arrays
from ._program import Error


def read(arrays: Arrays, session: str, a: Class, b: Class, images: int) -> Maps:
    """The evidence images of class ``a`` minus those of class ``b``, at every γ."""
    maps = _maps.read(arrays, session, "evidence", images)
    places = class_place(maps.classes, a), class_place(maps.classes, b)
    if places[0] == places[1]:
        name = maps.classes[places[0]]
        raise Error(f"`{name}` has no contrast with itself; there are {shortened(maps.classes)}")
    first, second = (maps.sel(classes=place) for place in places)
    within = (..., *(np.newaxis,) * (maps.values.ndim - 2))
    # As the program computes and stores them, in float32.
    values = (first.values.astype(np.float32) - second.values.astype(np.float32)).astype(np.float64)
    ratio = _ratio(_covariance(arrays, images), *places)
    se = np.where(np.isnan(values), np.nan, first.se * ratio[within])
    values = np.where(np.isnan(ratio)[within], np.nan, values)
    is_known = np.isfinite(se) & (se > 0.0)
    z = np.zeros_like(values)
    np.divide(values, se, out=z, where=is_known)
    z = np.where(np.isnan(values), np.nan, z.astype(np.float32))
    inner = tuple(range(1, values.ndim))
    noise = np.square(se).sum(axis=inner, where=is_known)
    with np.errstate(divide="ignore", invalid="ignore"):
        snr = (np.square(values).sum(axis=inner) - noise) / noise
    is_there = ~np.isnan(values).all(axis=inner)
    signal = np.maximum(snr, 0.0)
    unknown = np.full_like(snr, np.nan)
    significant = (np.abs(z) > first.threshold[within]).sum(axis=inner)
    return replace(
        first,
        classes=(f"{maps.classes[places[0]]} rather than {maps.classes[places[1]]}",),
        values=values,
        z=z,
        se=np.where(is_known, se, np.nan),
        snr=snr,
        reliability=signal / (1.0 + signal),
        reliability_low=unknown,
        reliability_high=unknown,
        significant=np.where(is_there, significant, np.nan),
        called=unknown,
        regression=None,
    )


def _covariance(arrays: Arrays, images: int) -> Floats:
    name = f"ev{'' if images == 1 else images}_covariance"
    covariance = arrays.get(name)
    if covariance is None:
        raise Error(
            f"{arrays.source} has no `{name}`, from which the error of a contrast follows: more than "
            "128 classes have maps, or an older program wrote it, and then export it again"
        )
    return covariance


def _ratio(covariance: Floats, a: int, b: int) -> Floats:
    """Deviation of the difference of two responses over that of the first, by γ; NaN if unknown."""
    own = covariance[:, a, a]
    variance = own + covariance[:, b, b] - 2.0 * covariance[:, a, b]
    is_known = (variance > 0.0) & (own > 0.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(is_known, np.sqrt(np.abs(variance / own)), np.nan)
