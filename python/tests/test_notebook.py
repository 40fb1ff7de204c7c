"""Runs the blocks of docs/notebook.md in order on the session NOISESCOPE_TEST_SESSION."""

from __future__ import annotations

import ast
import os
import re
from pathlib import Path
from typing import Any

import pytest

import noisescope

#: In the source tree; elsewhere NOISESCOPE_NOTEBOOK names it.
PAGE = Path(
    os.environ.get("NOISESCOPE_NOTEBOOK")
    or Path(__file__).resolve().parents[2] / "docs" / "notebook.md"
).resolve()


def blocks() -> list[str]:
    """The blocks of the page, padded with empty lines so that errors give the page's line numbers."""
    text = PAGE.read_text(encoding="utf-8")
    found = re.finditer(r"^```python\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    return ["\n" * text.count("\n", 0, block.start(1)) + block[1] for block in found]


def test_every_block_is_python_and_short() -> None:
    assert len(blocks()) >= 10
    for block in blocks():
        ast.parse(block)
        assert len(block.strip().splitlines()) <= 10


def test_every_block_runs(
    real: noisescope.Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pyplot = pytest.importorskip("matplotlib.pyplot")
    folder = os.environ.get("NOISESCOPE_SESSIONS")
    if folder:
        monkeypatch.setenv("NOISESCOPE_SESSIONS", os.path.abspath(folder))
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    for block in blocks():
        code = block.replace('load("quickstart")', f"load({real.name!r})")
        exec(compile(code, str(PAGE), "exec"), names)
        # Draw what would be displayed.
        for number in pyplot.get_fignums():
            pyplot.figure(number).canvas.draw()
        pyplot.close("all")
    assert "<svg" in (tmp_path / "maps.svg").read_text(encoding="utf-8")
