from __future__ import annotations

import json
import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from conftest import LAYERS, export

import noisescope


def test_a_file_has_what_does_not_need_the_program(session: noisescope.Session) -> None:
    assert session.name == "clothes" and session.classes == ("Dress", "Coat", "Sandal")
    assert session.plan == {"network": {"kind": "Cnn"}} and session.provenance == {"device": "cpu"}
    assert session.notes[0]["on"] == "session"
    assert session.confusion is not None
    assert session.confusion.accuracy == 25 / 30
    assert session.confusion.of("dress", "coat") == 1
    assert session.arrays["ci_counts"].shape == (2, 3, 3)
    with pytest.raises(noisescope.Error, match=r"noisescope.load\('clothes'\)"):
        session.table("training")
    with pytest.raises(noisescope.Error, match="has no weights"):
        session.weights()


def test_layers_may_have_any_name(session: noisescope.Session) -> None:
    assert session.layers == LAYERS
    filters = session.filters("layer1.0/conv")
    assert filters.axes == ("unit", "row", "column") and filters.values.shape == (2, 4, 5)
    assert filters.silent.tolist() == [False, True]
    assert filters.kernel is None and filters.kernel_r is None
    # A layer whose name equals that of another layer's array.
    assert session.filters("fc").kernel is None
    convolution = session.filters("conv1")
    assert convolution.kernel is not None and convolution.kernel_r is not None
    one = convolution.sel([1])
    assert one.kernel_r is not None and one.kernel_r.shape == (1,)
    assert filters.sel([1]).units.tolist() == [1]
    with pytest.raises(noisescope.Error, match="no layer `conv9`; there are conv1"):
        session.filters("conv9")
    assert filters.sel(np.array(1)).units.tolist() == [1]
    with pytest.raises(noisescope.Error, match="has no unit 7"):
        filters.sel(7)


def test_a_mask_of_units_is_not_taken_for_their_numbers(session: noisescope.Session) -> None:
    filters = session.filters("fc")
    assert filters.sel(np.flatnonzero(filters.silent)).units.tolist() == [1]
    with pytest.raises(noisescope.Error, match=r"by a mask: numpy.flatnonzero\(mask\)"):
        filters.sel(filters.silent)
    with pytest.raises(noisescope.Error, match="0.5 is not a whole number"):
        filters.sel(np.array([0.5]))


def test_no_units_can_be_selected_but_not_drawn(session: noisescope.Session) -> None:
    none = session.filters("fc").sel([])
    assert none.values.shape == (0, 4, 5) and none.silent.tolist() == []
    assert "unit 0" in repr(none) and "0 silent" in repr(none)
    with pytest.raises(noisescope.Error, match="nothing is selected"):
        none.plot()


def test_the_covariance_has_axes_and_eigenvalues(session: noisescope.Session) -> None:
    covariance = session.covariance("conv1")
    assert covariance.axes == ("unit", "axis", "row", "column")
    assert covariance.values.shape == (1, 2, 4, 5)
    assert covariance.eigenvalues.tolist() == [[0.4, -0.2]]
    assert covariance.units.tolist() == [7] and covariance.bounds.tolist() == [[-0.1, 0.1]]
    assert covariance.spectrum.shape == (1, 20)
    with pytest.raises(noisescope.Error, match="covariance of `fc_kernel`; there is one of conv1"):
        session.covariance("fc_kernel")


def test_a_session_can_be_given_to_another_process(session: noisescope.Session) -> None:
    session.maps()
    again = pickle.loads(pickle.dumps(session))
    assert repr(again) == repr(session) and again.arrays is again._arrays
    assert np.array_equal(again.maps().values, session.maps().values, equal_nan=True)
    with pytest.raises(ValueError, match="read-only"):
        again.maps().values[0] = 1.0


def test_an_older_file_is_told_from_a_newer_one(written: Callable[..., Path]) -> None:
    arrays = export()
    meta = json.loads(str(arrays.pop("meta")))
    with pytest.raises(noisescope.Error, match="older program: it has no `meta`"):
        noisescope.load(written(arrays))
    arrays["meta"] = np.array(json.dumps({**meta, "format": 2}))
    with pytest.raises(noisescope.Error, match="newer program, in format 2"):
        noisescope.load(written(arrays))
    meta["sessions"] = [meta.pop("session")] * 2
    arrays["meta"] = np.array(json.dumps(meta))
    with pytest.raises(noisescope.Error, match="of two that were compared"):
        noisescope.load(written(arrays))
    arrays["meta"] = np.array("{")
    with pytest.raises(noisescope.Error, match="`meta` of .* cannot be read"):
        noisescope.load(written(arrays))


def test_an_array_that_is_missing_is_named(written: Callable[..., Path]) -> None:
    arrays = export()
    del arrays["ev_threshold"]
    with pytest.raises(noisescope.Error, match="has no `ev_threshold`"):
        noisescope.load(written(arrays)).maps()


def test_a_damaged_array_is_named(written: Callable[..., Path]) -> None:
    path = written(export())
    with zipfile.ZipFile(path) as archive:
        at = archive.getinfo("ev_image.npy").header_offset
    data = bytearray(path.read_bytes())
    # Past the entry's header, its name and its extra field: a kind of block that deflate does not have.
    lengths = (data[at + 26 : at + 28], data[at + 28 : at + 30])
    data[at + 30 + sum(int.from_bytes(length, "little") for length in lengths)] = 0xFF
    path.write_bytes(data)
    session = noisescope.load(path)
    assert session.maps("decision").values.shape == (2, 3, 4, 5)
    with pytest.raises(noisescope.Error, match="`ev_image` of .* cannot be read: .*invalid block"):
        session.maps()


def test_what_is_no_export_is_refused(tmp_path: Path) -> None:
    with pytest.raises(noisescope.Error, match="none.npz cannot be read: No such file"):
        noisescope.load(str(tmp_path / "none.npz"))
    for data in (b"", b"text", b"PK\x03\x04" + bytes(40)):
        (tmp_path / "bad.npz").write_bytes(data)
        with pytest.raises(noisescope.Error, match="is not an NPZ file"):
            noisescope.load(tmp_path / "bad.npz")
    np.save(tmp_path / "one.npy", np.zeros(3))
    with pytest.raises(noisescope.Error, match="is not an NPZ file"):
        noisescope.load(tmp_path / "one.npy")


def test_a_session_tells_what_it_is(session: noisescope.Session) -> None:
    for text in (repr(session), session._repr_html_()):
        assert "clothes" in text and "Cnn" in text
        assert "5 of 6 at γ 0, 0.2, R 0.20 to 0.90" in text
        assert "83.3% of 30 images" in text
