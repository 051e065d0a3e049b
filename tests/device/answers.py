"""What a Pi and this machine say of the same pictures, and how far they agree."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from subprocess import CompletedProcess

from tests.device.boards import Board
from tests.device.lab import Pi


@dataclass(frozen=True)
class Answer:
    """The best label of one picture."""

    index: int
    score: float  # 0..1


@dataclass(frozen=True)
class Agreement:
    """How a model's answers on a Pi compare with those on this machine."""

    pictures: int
    agreeing: int  # pictures with the same best label
    largest_score_difference: float  # of the best label, where that is the same

    @property
    def share(self) -> float:
        """0..1."""
        return self.agreeing / self.pictures

    def __str__(self) -> str:
        return (
            f"{self.agreeing}/{self.pictures} as on the desktop, "
            f"largest score difference {self.largest_score_difference:.4f}"
        )


def agreements(
    pi: Pi, models: Mapping[str, Path], pictures: Sequence[Path], board: Board | None = None
) -> Mapping[str, Agreement]:
    """For each model, whether the Pi names the pictures as this machine does."""

    def compare(model: Path) -> Agreement:
        there = pi.python(*_command(model, pictures), board=board)
        return _compare(_here(model, tuple(pictures)), _answers(there, pictures))

    # One process computes on one core.
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return dict(zip(models, pool.map(compare, models.values()), strict=True))


@cache  # boards that run the same files are compared with the same answers
def _here(model: Path, pictures: tuple[Path, ...]) -> Sequence[Answer]:
    command = [sys.executable, *_command(model, pictures)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return _answers(done, pictures)


def _command(model: Path, pictures: Sequence[Path]) -> Sequence[str | Path]:
    return "-m", "edge_runtime", "classify", "--format", "jsonl", "--model", model, *pictures


def _answers(done: CompletedProcess[str], pictures: Sequence[Path]) -> Sequence[Answer]:
    assert done.returncode == 0, f"exit code {done.returncode}: {done.stderr}"
    results = [json.loads(line) for line in done.stdout.splitlines()]
    assert [Path(result["source"]).name for result in results] == [path.name for path in pictures]
    best = [result["predictions"][0] for result in results]
    return [Answer(prediction["index"], prediction["score"]) for prediction in best]


def _compare(here: Sequence[Answer], there: Sequence[Answer]) -> Agreement:
    same = [
        (one, other) for one, other in zip(here, there, strict=True) if one.index == other.index
    ]
    differences = [abs(one.score - other.score) for one, other in same]
    return Agreement(len(here), len(same), max(differences, default=0.0))
