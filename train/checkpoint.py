"""The state of a training between two epochs, in files that survive a kill at any moment.

A checkpoint appears as a whole or not at all, and the one before it stays until the next is
complete.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from edge_runtime.errors import InputError, OutputError
from edge_runtime.files import write_atomically
from train.history import Epoch
from train.sealed import pack, unpack

Weights = Sequence[NDArray[Any]]

_GENERATIONS: Final = 2  # the newest, and one more in case the disk damaged it
_OURS: Final = ("epoch-*.checkpoint", "teacher-*.logits", ".*.tmp")  # what clear() removes
_TEXT: Final = "about.json"


@dataclass(frozen=True, eq=False)
class State:
    """All that the next epoch depends on, and what is kept until the end."""

    history: tuple[Epoch, ...]
    weights: Mapping[str, Weights]  # of the model, the optimizer, the average, the best epoch
    seconds: float  # wall time so far
    cpu_seconds: float  # processor time so far, over all cores


class Checkpoints:
    """The checkpoints of one training, in a folder of their own."""

    def __init__(
        self,
        folder: Path,
        plan: Mapping[str, Any],
        usual: Mapping[str, Any] | None = None,
        *,
        writes: bool = True,
    ) -> None:
        """Name the folder, which need not exist yet.

        Args:
            folder: where the files are.
            plan: JSON values that decide how the training goes; only a training with the same
                plan may go on.
            usual: what a plan means that lacks a value: settings may be newer than a checkpoint.
            writes: of several machines that share the folder, one writes.
        """
        self.folder, self.writes = folder, writes
        # As it will be read back.
        self._plan, self._usual = (json.loads(json.dumps(values or {})) for values in (plan, usual))

    def newest(self) -> str | None:
        """The name of the newest checkpoint; None where there is none."""
        paths = self._paths()
        return paths[-1].stem if paths else None

    def begin(self, *, resume: bool) -> State | None:
        """Make the folder, and clear away what a kill left half-written.

        Args:
            resume: go on from the newest state, if there is one.

        Returns:
            The state to go on from. Where it is None, nothing is left of any earlier training: what
            a teacher answered it was of pictures that it changed in its own way.

        Raises:
            InputError: there are checkpoints to go on from, but none is whole.
            OutputError: the folder cannot be made, or they are of a training with another plan.
        """
        state = self.latest() if resume else None
        if self.writes:
            if state is None:
                self.clear()
            self._make_folder()
        return state

    def _make_folder(self) -> None:
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            for path in self.folder.glob(_OURS[-1]):
                path.unlink()
        except OSError as error:
            raise OutputError(
                f"cannot write {self.folder}: {error.strerror}; name another place with --out"
            ) from error

    def save(self, state: State) -> None:
        """Write a state; the one before it is kept, older ones are removed.

        Raises:
            OutputError: the disk is full or cannot be written; what was saved before is intact.
        """
        if not self.writes:
            return
        data = _pack(state, self._plan)
        path = self.folder / f"epoch-{len(state.history):06}.checkpoint"
        write_atomically(path, data, overwrite=True)
        for old in self._paths()[:-_GENERATIONS]:
            old.unlink()

    def latest(self) -> State | None:
        """The newest state that is whole; None where there is no checkpoint.

        Raises:
            InputError: there are checkpoints, but none is whole.
            OutputError: they are of a training with another plan.
        """
        paths = self._paths()
        for path in reversed(paths):
            try:
                plan, state = _unpack(path.read_bytes())
            except (OSError, ValueError) as error:
                print(f"{path} is damaged ({error}); taking the one before", file=sys.stderr)
                continue
            self._require_same(plan)
            return state
        if paths:
            raise InputError(f"no checkpoint in {self.folder} is whole; begin anew: --overwrite")
        return None

    def clear(self) -> None:
        """Remove what trainings keep here, and the folder if nothing else is in it."""
        if not self.writes:
            return
        for pattern in _OURS:
            for path in self.folder.glob(pattern):
                path.unlink()
        if self.folder.is_dir() and not any(self.folder.iterdir()):
            self.folder.rmdir()

    def _paths(self) -> list[Path]:
        """Oldest first."""
        return sorted(self.folder.glob("epoch-*.checkpoint"))

    def _require_same(self, recorded: Mapping[str, Any]) -> None:
        plan = {**self._usual, **recorded}
        differences = [
            f"{key} was {plan.get(key)}, now {self._plan.get(key)}"
            for key in sorted(plan.keys() | self._plan.keys())
            if plan.get(key) != self._plan.get(key)
        ]
        if differences:
            raise OutputError(
                f"{self.folder} is of another training ({'; '.join(differences)}); "
                "go on with the same settings, or begin anew: --overwrite without --resume"
            )


def _pack(state: State, plan: Mapping[str, Any]) -> bytes:
    about = {
        "plan": plan,
        "history": [asdict(epoch) for epoch in state.history],
        "seconds": state.seconds,
        "cpu_seconds": state.cpu_seconds,
        "arrays": {name: len(arrays) for name, arrays in state.weights.items()},
    }
    arrays = {
        f"{name}.{index}": array
        for name, arrays in state.weights.items()
        for index, array in enumerate(arrays)
    }
    return pack({_TEXT: np.frombuffer(json.dumps(about).encode(), np.uint8), **arrays})


def _unpack(data: bytes) -> tuple[Mapping[str, Any], State]:
    arrays = unpack(data)
    about = json.loads(arrays[_TEXT].tobytes())
    weights = {
        name: [arrays[f"{name}.{index}"] for index in range(count)]
        for name, count in about["arrays"].items()
    }
    history = tuple(Epoch(**epoch) for epoch in about["history"])
    return about["plan"], State(history, weights, about["seconds"], about["cpu_seconds"])
