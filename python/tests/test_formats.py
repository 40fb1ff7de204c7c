from __future__ import annotations

import json
import struct
from typing import Any

import numpy as np
import pytest

from noisescope import Error, _safetensors, _tables


def test_columns_are_numbers_text_or_yes_and_no() -> None:
    table = _tables.parse(
        "counts",
        "class,name,share,seed,fits,note\n"
        '0,7,0.5,14794429042256861849,true,"a, ""b""\nc"\n1,8,,3,false,\n',
    )
    assert table["class"].dtype == np.float64 and table["class"].tolist() == [0.0, 1.0]
    # Names of classes are text even where they look like numbers.
    assert table["name"].tolist() == ["7", "8"]
    assert np.isnan(table["share"][1])
    assert table["seed"].tolist() == [14794429042256861849, 3]
    assert table["fits"].tolist() == [True, False]
    assert table["note"].tolist() == ['a, "b"\nc', ""]
    assert table.rows == 2 and "counts: 2 rows" in repr(table)
    assert "<td>7</td>" in table._repr_html_()


def test_a_column_without_a_number_is_nan() -> None:
    table = _tables.parse("audit", "class,score\n0,\n1,\n")
    assert table["score"].dtype == np.float64 and np.isnan(table["score"]).all()


def test_rows_are_chosen_by_value() -> None:
    table = _tables.parse("attack", "pattern,target,n\nrandom,0,5\nmean_image,0,6\nrandom,1,7\n")
    assert table.where(pattern="random", target=1)["n"].tolist() == [7.0]
    assert table.where(pattern="none").rows == 0
    with pytest.raises(Error, match="attack has no column `weight`; it has pattern, target, n"):
        table.where(weight=1)


def test_numbers_are_found_whatever_their_rounding() -> None:
    table = _tables.parse(
        "attack", "gamma,weight,p,n\n0.3,0.3,1e-5,1000000\n0.1,0.0,1.05e-5,1000001\n"
    )
    rounded: list[Any] = [0.3, 0.1 + 0.2, np.float32(0.3), np.array(0.3), np.arange(0, 0.5, 0.1)[3]]
    for gamma in rounded:
        assert table.where(gamma=gamma).rows == 1
        assert table.where(weight=gamma)["n"].tolist() == [1e6]
    assert table.where(weight=0.3 - 0.1 - 0.2).rows == 1
    # What differs by more than rounding is told apart.
    assert table.where(p=1e-5).rows == 1 and table.where(n=1000001).rows == 1
    assert table.where(gamma=0.30001).rows == 0 and table.where(gamma="0.3").rows == 0


def test_rows_of_different_lengths_are_refused() -> None:
    with pytest.raises(Error, match="different lengths"):
        _tables.parse("attack", "a,b\n1\n")


def safetensors(header: object, body: bytes) -> bytes:
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + body


def test_tensors_of_every_dtype_are_read() -> None:
    body = struct.pack("<d", 2.5) + struct.pack("<2H", 0x3FC0, 0xC000) + b"\x01\x00" + b"\xff"
    header = {
        "bf": {"dtype": "BF16", "shape": [2, 1], "data_offsets": [8, 12]},
        "double": {"dtype": "F64", "shape": [], "data_offsets": [0, 8]},
        "yes": {"dtype": "BOOL", "shape": [2], "data_offsets": [12, 14]},
        "small": {"dtype": "I8", "shape": [1], "data_offsets": [14, 15]},
    }
    weights = _safetensors.parse(safetensors(header, body))
    assert list(weights) == ["double", "bf", "yes", "small"]
    assert weights["bf"].tolist() == [[1.5], [-2.0]] and weights["bf"].dtype == np.float32
    assert weights["double"].shape == () and float(weights["double"]) == 2.5
    assert weights["yes"].tolist() == [True, False] and weights["small"].tolist() == [-1]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff" * 20,
        safetensors({"w": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}}, bytes(4)),
        safetensors({"w": {"dtype": "F32", "shape": [3], "data_offsets": [0, 8]}}, bytes(8)),
        safetensors({"w": {"dtype": "F9", "shape": [2], "data_offsets": [0, 8]}}, bytes(8)),
        safetensors([1], b""),
    ],
)
def test_what_is_no_safetensors_is_refused(data: bytes) -> None:
    with pytest.raises(Error, match="not in safetensors format"):
        _safetensors.parse(data)
