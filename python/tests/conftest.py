"""An export made here, and a stand-in for the program that returns it; and, if
NOISESCOPE_TEST_SESSION names one, a session measured by the real program."""

from __future__ import annotations

import json
import os
import stat
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import noisescope

os.environ.setdefault("MPLBACKEND", "Agg")

CLASSES = ["Dress", "Coat", "Sandal"]
GAMMAS = [0.0, 0.2]
LAYERS = ["conv1", "layer1.0/conv", "fc", "fc_kernel"]


def export(channels: int = 1) -> dict[str, Any]:
    """The arrays of an export: 2 γ, 3 classes, 4×5 pixels. Sandals have too few trials at γ 0."""
    rng = np.random.default_rng(1)
    g, k = len(GAMMAS), len(CLASSES)
    shape = (4, 5) if channels == 1 else (channels, 4, 5)
    names = ["row", "column"] if channels == 1 else ["channel", "row", "column"]
    arrays: dict[str, Any] = {
        "classes": np.array(CLASSES),
        "ci_gamma": np.array(GAMMAS),
        "ci_counts": np.arange(g * k * k).reshape(g, k, k),
        "mean_image": rng.random((k, *shape)),
        "confusion": np.array([[8, 1, 1], [0, 9, 1], [2, 0, 8]]),
    }
    axes = {
        "classes": ["class"],
        "ci_gamma": ["gamma"],
        "ci_counts": ["gamma", "true class", "called"],
        "mean_image": ["called", *names],
        "confusion": ["true class", "called"],
    }
    for prefix in ("ci", "ev"):
        se = 0.5 + rng.random((g, k, *shape))
        image = rng.normal(size=(g, k, *shape))
        image[0, 2], se[0, 2] = np.nan, np.nan
        reliability = np.array([[0.9, 0.2, np.nan], [0.5, 0.8, 0.4]])
        known = {
            "image": image,
            "z": image / se,
            "se": se,
            "reliability": reliability,
            "reliability_low": reliability - 0.1,
            "reliability_high": reliability + 0.05,
            "snr": reliability * 10,
            "significant": np.where(np.isnan(reliability), np.nan, 3.0),
            "called": np.array([[100, 200, 3], [90, 110, 103]]),
            "threshold": np.array([2.0, 2.5]),
        }
        for name, array in known.items():
            arrays[f"{prefix}_{name}"] = array
            lead = ["gamma", "class"][: array.ndim]
            axes[f"{prefix}_{name}"] = lead + (names if array.ndim > 2 else [])
    for layer in LAYERS:
        sta = rng.normal(size=(2, *shape))
        sta[1] = np.nan
        arrays[f"sta_{layer}"] = sta
        arrays[f"image_sta_{layer}"] = sta
        arrays[f"sta_{layer}_reliability"] = np.array([0.97, np.nan])
        axes[f"sta_{layer}"] = axes[f"image_sta_{layer}"] = ["unit", *names]
        axes[f"sta_{layer}_reliability"] = ["unit"]
    arrays["sta_conv1_kernel"] = rng.normal(size=(2, *shape))
    axes["sta_conv1_kernel"] = ["unit", *names]
    arrays["sta_conv1_kernel_r"] = np.array([0.99, np.nan])
    axes["sta_conv1_kernel_r"] = ["unit"]
    arrays["stc_conv1_units"] = np.array([7])
    arrays["stc_conv1_axes"] = rng.normal(size=(1, 2, *shape))
    arrays["stc_conv1_eigenvalues"] = np.array([[0.4, -0.2]])
    arrays["stc_conv1_bounds"] = np.array([[-0.1, 0.1]])
    arrays["stc_conv1_spectrum"] = np.linspace(-0.2, 0.4, 20)[None]
    axes["stc_conv1_axes"] = ["unit", "axis", *names]
    axes["stc_conv1_eigenvalues"] = ["unit", "axis"]
    meta = {
        "format": 1,
        "program": "noisescope 0.1.0",
        "session": "clothes",
        "axes": axes,
        "units": {"ev_image": "logits per full range of a pixel"},
        "plan": {"network": {"kind": "Cnn"}},
        "provenance": {"device": "cpu"},
        "notes": [{"on": "session", "text": "a <b>note</b>"}],
    }
    arrays["meta"] = np.array(json.dumps(meta))
    return arrays


def trials() -> dict[str, Any]:
    """Two trials on noise alone, on a grid coarser than the stimuli."""
    arrays: dict[str, Any] = {
        "classes": np.array(CLASSES),
        "gamma": np.array(0.0),
        "stimuli": np.full((2, 4, 6), 0.5),
        "noise": np.full((2, 2, 3), 0.25),
        "block": np.array([0, 3]),
        "trial": np.array([17, 2]),
        "truth": np.array([-1, -1]),
        "image": np.array([-1, -1]),
        "called": np.array([1, 1]),
        "confidence": np.array([0.5, 0.75]),
        "outputs": np.zeros((2, 3)),
    }
    meta = {"format": 1, "session": "clothes", "axes": {}, "units": {}, "trials": {"matching": 2}}
    arrays["meta"] = np.array(json.dumps(meta))
    return arrays


@pytest.fixture
def written(tmp_path: Path) -> Callable[..., Path]:
    """Writes an export, and returns its path."""

    def write(arrays: dict[str, Any], name: str = "clothes") -> Path:
        path = tmp_path / f"{name}.npz"
        np.savez_compressed(path, **arrays)
        return path

    return write


@pytest.fixture
def session(written: Callable[..., Path]) -> noisescope.Session:
    """The session of an export."""
    return noisescope.load(written(export()))


@pytest.fixture
def maps(session: noisescope.Session) -> noisescope.Maps:
    return session.maps()


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, written: Callable[..., Path]) -> Path:
    """Installs a stand-in that knows the session `clothes`; returns the file that logs its calls."""
    written(export())
    written(trials(), "trials")
    path = tmp_path / "program"
    answers = Path(__file__).with_name("answers.py")
    path.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{answers}" "{tmp_path}" "$@"\n')
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("NOISESCOPE_PROGRAM", str(path))
    return tmp_path / "calls"


@pytest.fixture(scope="session")
def real() -> noisescope.Session:
    """A session of the preset `quickstart` measured by the real program."""
    name = os.environ.get("NOISESCOPE_TEST_SESSION")
    if not name:
        pytest.skip("NOISESCOPE_TEST_SESSION names no session")
    return noisescope.load(name)
