"""Tests on a session of the preset `quickstart` measured by the real program:
NOISESCOPE_TEST_SESSION."""

from __future__ import annotations

import numpy as np

import noisescope


def test_maps_agree_with_the_tables(real: noisescope.Session) -> None:
    table = real.table("classification_images")
    for response, column in (("evidence", "evidence_reliability"), ("decision", "reliability")):
        maps = real.maps(response)
        assert maps.values.shape == maps.z.shape == maps.se.shape
        assert np.allclose(maps.reliability.ravel(), table[column], equal_nan=True)
        assert np.array_equal(maps.called.ravel(), table["called"])
        there = maps.is_there
        # The error is unknown where z is 0.
        z = np.nan_to_num(maps.values[there] / maps.se[there])
        assert np.allclose(z, maps.z[there], rtol=1e-4, atol=1e-4)
        past = np.abs(maps.z[there]) > maps.threshold[there][:, None, None]
        assert np.array_equal(past.sum(axis=(1, 2)), maps.significant[there])
    assert real.maps().gamma.tolist() == np.unique(table["gamma"]).tolist()
    assert real.maps().unit.startswith("logits")


def test_a_contrast_is_that_of_the_figure(real: noisescope.Session) -> None:
    for gamma in real.maps().gamma:
        contrast = real.contrast("4", "9").sel(gamma=gamma)
        text = real.figure(f"pair-4-not-9-gamma-{float(gamma)}").alternative
        values = f"{int(contrast.significant)} of {contrast.values.size} values with |z| >"
        assert f"R {float(contrast.reliability):.2f}, {values}" in text


def test_a_file_holds_the_same_as_the_session(real: noisescope.Session, tmp_path: object) -> None:
    from noisescope._program import run

    path = f"{tmp_path}/export.npz"
    run("export", real.name, "--format", "npz", "--out", path)
    file = noisescope.load(path)
    assert file.name == real.name and file.layers == real.layers
    assert np.array_equal(file.maps().values, real.maps().values, equal_nan=True)


def test_layers_have_their_units(real: noisescope.Session) -> None:
    table = real.table("spike_triggered")
    assert real.layers == list(dict.fromkeys(table["layer"].tolist()))
    for layer in real.layers:
        filters, rows = real.filters(layer), table.where(layer=layer)
        assert len(filters.units) == rows.rows
        assert np.array_equal(filters.silent, rows["silent"])
        assert np.allclose(filters.reliability, rows["reliability"], equal_nan=True)


def test_kernels_are_those_of_the_weights(real: noisescope.Session) -> None:
    kernel = real.filters("conv1").kernel
    assert kernel is not None
    assert np.allclose(real.weights()["conv1.weight"].reshape(kernel.shape), kernel)


def test_covariance_axes_have_unit_length(real: noisescope.Session) -> None:
    covariance = real.covariance("conv2")
    values = covariance.values.reshape(*covariance.eigenvalues.shape, -1)
    lengths = np.linalg.norm(values, axis=-1)
    assert np.allclose(lengths, 1.0, atol=1e-3)
    low, high = covariance.bounds[0]
    outside = (covariance.eigenvalues < low) | (covariance.eigenvalues > high)
    assert outside.all() and np.isin(covariance.eigenvalues, covariance.spectrum).all()


def test_confusion_agrees_with_the_table(real: noisescope.Session) -> None:
    assert real.confusion is not None
    table = real.table("predictions").where(split="test")
    assert np.array_equal(real.confusion.counts.ravel(), table["images"])


def test_trials_are_called_what_was_asked_for(real: noisescope.Session) -> None:
    trials = real.trials(called="3", true="8", count=5)
    assert 0 < len(trials) <= 5
    assert (trials.called == 3).all() and (trials.true == 8).all()
    assert (trials.outputs.argmax(axis=1) == 3).all()
    # A stimulus is (1−γ)·noise + γ·image, so without the noise an image remains.
    image = (trials.stimuli - (1 - trials.gamma) * trials.noise) / trials.gamma
    assert image.min() > -1e-5 and image.max() < 1 + 1e-5
    assert np.allclose(image * 255, np.round(image * 255), atol=1e-2)


def test_figures_are_pictures(real: noisescope.Session) -> None:
    figure = real.figure("maps-gamma-0.3")
    svg = figure._repr_svg_()
    assert svg is not None and "<svg" in svg and figure.caption and figure.alternative


def test_the_session_is_listed(real: noisescope.Session) -> None:
    assert real.name in [listed.name for listed in noisescope.sessions()]
