"""A session: all measurements of a network."""

from __future__ import annotations

import functools
import html
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from . import _contrast, _figure, _layers, _maps, _safetensors, _tables, _trials
from ._choice import Class, class_place, gamma_place, shortened
from ._figure import Figure
from ._layers import Covariance, Filters
from ._maps import Maps
from ._npz import Arrays
from ._program import Error, Sessions, run, scratch
from ._safetensors import Weights
from ._tables import Confusion, Table
from ._trials import Trials


class Session:
    """All measurements of a network, as opened by ``noisescope.load``.

    For a running session, the arrays are those of its last checkpoint before ``load``; tables,
    weights, trials and figures are those of the last checkpoint before their first use.
    """

    def __init__(self, arrays: Arrays, sessions: Sessions, *, is_file: bool) -> None:
        #: Every array of the export by name, as ``numpy.load`` would give it.
        self.arrays: Mapping[str, npt.NDArray[Any]] = arrays
        self._arrays = arrays
        self._sessions = sessions
        self._is_file = is_file
        #: The export's description of itself: program, axes, units, plan, provenance.
        self.meta: dict[str, Any] = arrays.meta
        #: Its name.
        self.name: str = str(arrays.meta.get("session", ""))

    @property
    def classes(self) -> tuple[str, ...]:
        """The names of the classes, in order."""
        return tuple(str(name) for name in self._arrays.get("classes", np.array([])))

    @property
    def plan(self) -> dict[str, Any]:
        """The session's plan."""
        plan = self.meta.get("plan") or {}
        assert isinstance(plan, dict)
        return plan

    @property
    def provenance(self) -> dict[str, Any]:
        """The origin of the numbers: program, device, images, weights."""
        provenance = self.meta.get("provenance") or {}
        assert isinstance(provenance, dict)
        return provenance

    @property
    def notes(self) -> list[dict[str, Any]]:
        """The notes that people left on it."""
        return list(self.meta.get("notes") or [])

    def maps(self, response: str = "evidence", images: int = 1) -> Maps:
        """The maps at every γ and of every class.

        Args:
            response: ``evidence``, or ``decision`` for classification images.
            images: which of the plan's classification images, counted from 1.

        Raises:
            Error: if there are none.
        """
        return _maps.read(self._arrays, self.name, response, images)

    def contrast(self, a: Class, b: Class, images: int = 1) -> Maps:
        """What speaks for class ``a`` rather than ``b``: the difference of their evidence images at
        every γ, with its own z and standard error, as in the program's figure ``pair``.

        Its reliability is SNR/(1 + SNR), without an interval; it is the trials of neither class, so
        ``called`` is NaN.

        Args:
            a: a class by its name, the beginning of its name, or its number.
            b: another one.
            images: which of the plan's classification images, counted from 1.

        Raises:
            Error: if there is no such class, or there are no evidence images.
        """
        return _contrast.read(self._arrays, self.name, a, b, images)

    @property
    def layers(self) -> list[str]:
        """The layers whose units were observed."""
        return _layers.names(self._arrays)

    def filters(self, layer: str, averages: int = 1) -> Filters:
        """Spike-triggered averages of a layer; ``averages``: which of the plan's, counted from 1."""
        return _layers.filters(self._arrays, self.name, layer, averages)

    def covariance(self, layer: str, averages: int = 1) -> Covariance:
        """Spike-triggered covariance of a layer: its axes and their eigenvalues."""
        return _layers.covariance(self._arrays, self.name, layer, averages)

    @property
    def confusion(self) -> Confusion | None:
        """How many images of each class were called each class; None if none were shown."""
        counts = self._arrays.get("confusion")
        return None if counts is None else Confusion(self.name, self.classes, counts)

    @functools.cached_property
    def _tables(self) -> dict[str, Table]:
        name = self._by_name("tables")
        with scratch() as folder:
            out = folder / "tables"
            run("export", name, "--format", "csv", "--out", str(out), sessions=self._sessions)
            return _tables.read(out)

    @property
    def tables(self) -> list[str]:
        """The names of the tables."""
        return list(self._tables)

    def table(self, name: str) -> Table:
        """A table of the program's CSV export.

        Raises:
            Error: if there is no such table; names those that exist.
        """
        if name not in self._tables:
            raise Error(f"{self.name} has no table `{name}`; it has {', '.join(self._tables)}")
        return self._tables[name]

    @property
    def attack(self) -> Table | None:
        """Success of each pattern by target and weight; None if the plan has no attack."""
        return self._tables.get("attack")

    @property
    def modulation(self) -> Table | None:
        """The effect of pushing a layer, by target, strength, γ and class; None if there is none."""
        return self._tables.get("modulation")

    @property
    def training(self) -> Table | None:
        """The epochs of training; None if the weights came from a file."""
        return self._tables.get("training")

    @property
    def audit(self) -> Table | None:
        """Scores of the audit by network and class; None if there is none. The table
        ``audit_pasted`` has the effect of pasting the findings."""
        return self._tables.get("audit")

    @property
    def backdoor(self) -> Table | None:
        """Findings from decisions, by network, γ and class; None if there are none. The networks
        are in the table ``backdoor_networks``."""
        return self._tables.get("backdoor")

    @functools.cached_property
    def json(self) -> dict[str, Any]:
        """The program's JSON export: all numbers except the maps."""
        name = self._by_name("JSON")
        text = run("export", name, "--format", "json", sessions=self._sessions)
        try:
            value = json.loads(text)
        except ValueError as error:
            raise Error(f"the program's JSON cannot be read: {error}") from error
        assert isinstance(value, dict)
        return value

    def weights(self) -> Weights:
        """The weights of the network by name."""
        name = self._by_name("weights")
        with scratch() as folder:
            out = folder / "weights.safetensors"
            run(
                "export", name, "--format", "safetensors", "--out", str(out),
                sessions=self._sessions,
            )  # fmt: skip
            return _safetensors.parse(out.read_bytes())

    def trials(
        self,
        *,
        called: Class | None = None,
        true: Class | None = None,
        gamma: float | None = None,
        count: int = 20,
        images: int = 1,
    ) -> Trials:
        """Single trials, recreated: the same noise and images, shown to the network again.

        Args:
            called: the class that the network called them; by default any.
            true: the class of the image in them; by default any.
            gamma: their signal strength; by default the strongest.
            count: at most this many, the first ones.
            images: which of the plan's classification images, counted from 1.
        """
        arguments = ["trials", self._by_name("trials"), "--count", str(count)]
        arguments += ["--images", str(images)]
        if called is None and true is None:
            arguments.append("--any")
        for option, wanted in {"called": called, "true": true}.items():
            if wanted is not None:
                arguments.append(f"--{option}={self._typed(wanted)}")
        if gamma is not None:
            arguments.append(f"--gamma={self._known_gamma(gamma, images)}")
        with scratch() as folder:
            out = folder / "trials.npz"
            run(*arguments, "--format", "npz", "--out", str(out), sessions=self._sessions)
            return _trials.read(Arrays(out.read_bytes(), "the export of trials"), self.name)

    def _typed(self, wanted: Class) -> str:
        """A class as the program takes it, for which the name `1` comes before the number 1."""
        if isinstance(wanted, str):
            return wanted
        place = class_place(self.classes, wanted)
        name = self.classes[place]
        return name if self.classes.count(name) == 1 else str(place)

    def _known_gamma(self, wanted: float, images: int) -> float:
        """The γ of the plan that this stands for, as ``Maps.sel`` takes it; else itself."""
        known = self._arrays.get(f"ci{'' if images == 1 else images}_gamma", np.array([]))
        try:
            return float(known[gamma_place(known, wanted)])
        except Error:
            return float(wanted)

    def figure(self, name: str, format: str = "svg") -> Figure:
        """A figure as the program draws it, for example ``maps-gamma-0.2``; ``format``: ``svg``,
        ``pdf`` or ``png``."""
        session = self._by_name("figures")
        with scratch() as folder:
            out = folder / "figures"
            run(
                "export", session, "--format", format, "--figure", name, "--out", str(out),
                sessions=self._sessions,
            )  # fmt: skip
            return _figure.read(out, name, format)

    def _by_name(self, what: str) -> str:
        if self._is_file:
            raise Error(
                f"{self._arrays.source} is an export and has no {what}: load the session by name, "
                f"noisescope.load({self.name!r})"
            )
        return self.name

    def _summary(self) -> list[tuple[str, str]]:
        rows = []
        network = self.plan.get("network")
        if isinstance(network, dict) and network.get("kind"):
            rows.append(("network", str(network["kind"])))
        rows.append(("classes", f"{len(self.classes)}: {shortened(self.classes)}"))
        for response in ("decision", "evidence"):
            try:
                maps = self.maps(response)
            except Error:
                continue
            known = maps.reliability[~np.isnan(maps.reliability)]
            words = f"{int(maps.is_there.sum())} of {maps.is_there.size}"
            words += f" at γ {', '.join(f'{gamma:g}' for gamma in maps.gamma)}"
            if known.size:
                words += f", R {known.min():.2f} to {known.max():.2f}"
            rows.append((f"{_maps.LABELS[response]}s", words))
        if self.layers:
            rows.append(("layers", shortened(self.layers)))
        if self.confusion is not None:
            images = int(self.confusion.counts.sum())
            rows.append(("predictions", f"{self.confusion.accuracy:.1%} of {images:,} images"))
        return rows

    def __repr__(self) -> str:
        lines = [f"<noisescope.Session {self.name}"]
        lines += [f"  {name}: {value}" for name, value in self._summary()]
        return "\n".join(lines) + ">"

    def _repr_html_(self) -> str:
        cell = html.escape
        rows = "".join(
            f"<tr><th style='text-align:left'>{cell(name)}</th>"
            f"<td style='text-align:left'>{cell(value)}</td></tr>"
            for name, value in self._summary()
        )
        return f"<table><caption>Session <b>{cell(self.name)}</b></caption>{rows}</table>"


def load(session: str | os.PathLike[str], sessions: Sessions = None) -> Session:
    """Opens a session by name, or an NPZ file exported by the program. Of a divided session whose
    shards are not merged, it opens their sum so far, with a warning.

    Args:
        session: a session's name; or the path of an ``.npz`` file, which has all arrays, but not
            what only the program can provide.
        sessions: the sessions folder; by default the program's own.

    Raises:
        Error: if there is no such session or file, with the program's message.
    """
    name = os.fspath(session)
    if not isinstance(session, str) or name.endswith(".npz") or os.sep in name:
        path = Path(name).expanduser()
        try:
            data = path.read_bytes()
        except OSError as error:
            raise Error(f"{path} cannot be read: {error.strerror or error}") from error
        return Session(Arrays(data, str(path)), sessions, is_file=True)
    with scratch() as folder:
        out = folder / "session.npz"
        run("export", name, "--format", "npz", "--out", str(out), sessions=sessions)
        arrays = Arrays(out.read_bytes(), f"the export of {name}")
    return Session(arrays, sessions, is_file=False)


@dataclass(frozen=True)
class Listed:
    """A session in the folder, as listed by ``noisescope ls``."""

    name: str
    #: ``new``, ``running``, ``paused``, ``hung``, ``interrupted``, ``stopped``, ``finished``,
    #: ``failed``, ``damaged``, ``unreadable`` or ``newer``.
    state: str
    #: Trials done and planned.
    done: int
    total: int
    #: When it was last written, RFC 3339; None if nothing has been written yet.
    updated: str | None
    #: The process ID of the engine that runs it; None if none does.
    pid: int | None
    #: Why it failed or cannot be read, or what keeps its engine from saving it, and what to do; None
    #: if nothing does.
    problem: str | None = None


def sessions(folder: Sessions = None) -> list[Listed]:
    """Lists the sessions in the folder."""
    text = run("ls", "--json", sessions=folder)
    try:
        rows = json.loads(text)
        return [
            Listed(
                name=row["name"],
                state=row["state"],
                done=row["done"],
                total=row["total"],
                updated=row.get("updated"),
                pid=row.get("pid"),
                problem=row.get("problem"),
            )
            for row in rows
        ]
    except (ValueError, KeyError, TypeError) as error:
        raise Error(f"the program's list of sessions cannot be read: {error}") from error
