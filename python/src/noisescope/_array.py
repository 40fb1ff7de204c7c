"""What holds an array is one where NumPy asks."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt


class AsArray:
    """Gives ``values`` to ``numpy.asarray``."""

    values: npt.NDArray[np.float64]

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> npt.NDArray[Any]:
        array = self.values if dtype is None else self.values.astype(dtype, copy=False)
        return array.copy() if copy else array
