from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from conftest import export

import noisescope


def test_a_session_is_loaded_by_name(program: Path) -> None:
    session = noisescope.load("clothes", sessions="/somewhere")
    assert session.maps().values.shape == (2, 3, 4, 5)
    call = program.read_text().splitlines()[-1]
    assert call.startswith("export clothes --format npz --out ")
    assert call.endswith(" --sessions /somewhere")
    assert session.json["status"] == "finished"


def test_the_programs_words_are_the_errors(program: Path) -> None:
    with pytest.raises(noisescope.Error) as caught:
        noisescope.load("shoes")
    assert str(caught.value) == "there is no session `shoes`.\nIt holds: clothes"


def test_what_the_program_remarks_is_a_warning(program: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        noisescope.load("clothes")
    program.with_name("divided").touch()
    with pytest.warns(UserWarning) as caught:
        assert noisescope.load("clothes").name == "clothes"
    (warning,) = caught
    assert str(warning.message) == "clothes is divided: this is its sum so far"
    assert warning.filename == __file__


def test_tables_are_columns(program: Path) -> None:
    session = noisescope.load("clothes")
    assert session.tables == ["attack", "training"]
    assert session.training is not None and session.audit is None
    assert session.training.columns == ["epoch", "loss", "best"] and session.training.rows == 2
    assert np.array_equal(session.training["loss"], [0.5, np.nan], equal_nan=True)
    assert session.training["best"].tolist() == [False, True]
    with pytest.raises(noisescope.Error, match="no table `audit`; it has attack, training"):
        session.table("audit")
    # The program is called once.
    assert sum("csv" in call for call in program.read_text().splitlines()) == 1


def test_weights_come_as_arrays(program: Path) -> None:
    weights = noisescope.load("clothes").weights()
    assert weights["w"].tolist() == [1.5, -2.0] and weights.parameters == 2
    assert weights.metadata == {"kind": "Cnn"}


def test_a_figure_is_shown_by_a_notebook(program: Path, tmp_path: Path) -> None:
    figure = noisescope.load("clothes").figure("maps-gamma-0.2")
    assert figure._repr_svg_() == "<svg/>" and figure._repr_png_() is None
    assert (figure.caption, figure.alternative) == ("Maps.", "Two rows.")
    figure.save(tmp_path / "figure.svg")
    assert (tmp_path / "figure.svg").read_bytes() == figure.data
    call = program.read_text().splitlines()[-1]
    assert call.startswith("export clothes --format svg --figure maps-gamma-0.2 --out ")


def test_one_figure_is_shown_at_a_time(program: Path) -> None:
    with pytest.raises(noisescope.Error, match="names 2 figures.*: maps-gamma-0.0, maps-gamma-0.2"):
        noisescope.load("clothes").figure("maps")


def test_trials_are_made_again(program: Path) -> None:
    session = noisescope.load("clothes")
    trials = session.trials(called="Coat", true=2, gamma=0.0, count=2)
    assert len(trials) == 2 and trials.stimuli.shape == (2, 4, 6)
    assert trials.noise.shape == (2, 2, 3)
    assert trials.called.tolist() == [1, 1] and trials.true.tolist() == [-1, -1]
    assert trials.caption(0) == "noise called Coat" and trials.gamma == 0.0
    assert trials.arrays["block"].tolist() == [0, 3]
    call = program.read_text().splitlines()[-1]
    assert "trials clothes --count 2 --images 1 --called=Coat --true=Sandal --gamma=0.0" in call
    session.trials(gamma=float(np.float32(0.2)))
    assert "--gamma=0.2 " in program.read_text().splitlines()[-1]
    session.trials(gamma=0.3)
    assert "--gamma=0.3 " in program.read_text().splitlines()[-1]
    session.trials()
    assert "trials clothes --count 20 --images 1 --any --format npz" in program.read_text()


def test_the_number_of_a_class_is_not_taken_for_the_name_of_another(
    program: Path, written: Callable[..., Path]
) -> None:
    written({**export(), "classes": np.array(["1", "2", "3"])})
    session = noisescope.load("clothes")
    assert session.maps().sel(classes=1).classes == ("2",)
    session.trials(called=1, true="1")
    assert "--called=2 --true=1 " in program.read_text().splitlines()[-1]
    with pytest.raises(noisescope.Error, match="there is no class 3; there are 0 to 2"):
        session.trials(called=3)


def test_sessions_are_listed(program: Path) -> None:
    listed, failed = noisescope.sessions()
    assert (listed.name, listed.state, listed.done, listed.pid) == ("clothes", "finished", 5, None)
    assert listed.problem is None
    assert (failed.state, failed.problem) == ("failed", "no images")


def test_a_program_that_is_not_there_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NOISESCOPE_PROGRAM", "/nowhere/noisescope")
    with pytest.raises(noisescope.Error, match="names /nowhere/noisescope"):
        noisescope.load("clothes")


def test_the_program_beside_python_comes_before_the_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NOISESCOPE_PROGRAM", raising=False)
    places = [tmp_path / "beside", tmp_path / "path"]
    for place in places:
        place.mkdir()
        (place / "noisescope").write_text("#!/bin/sh\n")
        (place / "noisescope").chmod(0o755)
    monkeypatch.setattr("sysconfig.get_path", lambda *_: str(tmp_path / "none"))
    monkeypatch.setattr("sys.executable", str(places[0] / "python"))
    monkeypatch.setenv("PATH", str(places[1]))
    assert noisescope.program() == str(places[0] / "noisescope")
    (places[0] / "noisescope").unlink()
    assert noisescope.program() == str(places[1] / "noisescope")
    (places[1] / "noisescope").unlink()
    with pytest.raises(noisescope.Error, match="neither beside Python nor on the PATH"):
        noisescope.program()
