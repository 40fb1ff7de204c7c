"""Reads safetensors files: eight bytes of length, a JSON header, raw little-endian numbers."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import numpy.typing as npt

from ._program import Error

DTYPES = {
    "F64": "<f8",
    "F32": "<f4",
    "F16": "<f2",
    "I64": "<i8",
    "I32": "<i4",
    "I16": "<i2",
    "I8": "i1",
    "U64": "<u8",
    "U32": "<u4",
    "U16": "<u2",
    "U8": "u1",
    "BOOL": "?",
}


class Weights(dict[str, npt.NDArray[Any]]):
    """Weights by name, with the file's metadata."""

    def __init__(self, tensors: dict[str, npt.NDArray[Any]], metadata: dict[str, str]) -> None:
        super().__init__(tensors)
        self.metadata = metadata

    @property
    def parameters(self) -> int:
        """The total number of parameters."""
        return sum(array.size for array in self.values())

    def __repr__(self) -> str:
        each = ", ".join(f"{name} {list(array.shape)}" for name, array in self.items())
        return f"<noisescope.Weights: {self.parameters:,} parameters: {each}>"


def parse(data: bytes) -> Weights:
    """The tensors of a file, in the order of their data. BF16 becomes float32."""
    length = int.from_bytes(data[:8], "little")
    body = memoryview(data)[8 + length :]
    try:
        header = json.loads(data[8 : 8 + length])
        metadata = header.pop("__metadata__", {})
        entries = sorted(header.items(), key=lambda item: tuple(item[1]["data_offsets"]))
        tensors = {name: _tensor(entry, body) for name, entry in entries}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise Error(f"the weights are not in safetensors format: {error}") from error
    return Weights(tensors, metadata)


def _tensor(entry: dict[str, Any], body: memoryview) -> npt.NDArray[Any]:
    begin, end = entry["data_offsets"]
    raw, shape, dtype = body[begin:end], entry["shape"], entry["dtype"]
    if len(raw) != end - begin:
        raise ValueError("the file ends too early")
    if dtype == "BF16":
        high = np.frombuffer(raw, dtype="<u2").astype("<u4") << 16
        return high.view("<f4").reshape(shape)
    return np.frombuffer(raw, dtype=DTYPES[dtype]).reshape(shape).copy()
