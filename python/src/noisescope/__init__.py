"""Sessions of the program ``noisescope`` as arrays with named axes: what a neural network has
learned, from millions of noise images.

>>> import noisescope
>>> session = noisescope.load("quickstart")
>>> session.maps().sel(gamma=0.3, classes="3").plot()
"""

from __future__ import annotations

from importlib import metadata as _metadata

from ._figure import Figure
from ._layers import Covariance, Filters
from ._maps import Map, Maps
from ._plot import colours
from ._program import Error, program
from ._safetensors import Weights
from ._session import Listed, Session, load, sessions
from ._tables import Confusion, Table
from ._trials import Trials

try:
    __version__ = _metadata.version("noisescope")
except _metadata.PackageNotFoundError:  # Imported from a source folder.
    __version__ = "0"

__all__ = [
    "Confusion",
    "Covariance",
    "Error",
    "Figure",
    "Filters",
    "Listed",
    "Map",
    "Maps",
    "Session",
    "Table",
    "Trials",
    "Weights",
    "colours",
    "load",
    "program",
    "sessions",
]
