"""A base class for what NumPy can take as an array."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt


class AsArray:
    """``numpy.asarray`` of it is its ``values``."""

    values: npt.NDArray[np.float64]

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> npt.NDArray[Any]:
        array = self.values if dtype is None else self.values.astype(dtype, copy=False)
        return array.copy() if copy else array
