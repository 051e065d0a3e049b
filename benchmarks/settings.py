"""What a benchmark is told: how long to measure, on how many pictures, and what is good enough."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from edge_runtime.engines import ENGINES, EngineChoice
from edge_runtime.errors import UsageError

Scenario = Literal["single-stream", "offline"]


@dataclass(frozen=True)
class Settings:
    """The settings of one benchmark; they are kept in its report."""

    num_threads: int = 1  # of the engine
    backend: EngineChoice = "auto"  # the engine of the files that it can run; see `engine_for`
    cores: tuple[int, ...] | None = None  # that the timed processes are kept on; None is on all
    blocks: int = 12  # fresh processes, one after the other, that time all files in turns
    rounds: int = 8  # in a block; each times every file once, in a new order
    seconds: float = 1.0  # of timed calls for each file, over all rounds
    processes: int = 3  # fresh ones that open each file; load time and memory are their medians
    timing: bool = True  # False leaves out all but accuracy and size
    throughput: bool = False  # pictures a second by batch size and threads, too
    loadgen: Scenario | None = None  # also have MLPerf's LoadGen measure, in this scenario
    loadgen_seconds: float = 10.0  # of each file; MLPerf's own submissions take a minute and more
    peak_seconds: float = 0.4  # for each product that the limit is measured by; 0 leaves it out
    limit: int | None = None  # evaluation pictures to use; None is all
    max_accuracy_drop_points: float = 0.5  # per cent points below the reference
    min_agreement: float = 0.99  # share of pictures with the reference's best label, 0..1
    seed: int = 20260101  # of the order of files in a round, and of the pictures under a limit

    def __post_init__(self) -> None:
        for name in ("num_threads", "rounds", "blocks", "processes", "limit"):
            value = getattr(self, name)
            _require(value is None or value >= 1, name, value, "1 or more")
        _require(0 < self.seconds <= 3600, "seconds", self.seconds, "above 0, at most 3600")
        _require(
            0 < self.loadgen_seconds <= 3600,
            "loadgen_seconds",
            self.loadgen_seconds,
            "above 0, at most 3600",
        )
        _require(0 <= self.peak_seconds <= 60, "peak_seconds", self.peak_seconds, "0 to 60")
        _require(
            0 <= self.max_accuracy_drop_points <= 100,
            "max_accuracy_drop",
            self.max_accuracy_drop_points,
            "0..100 points",
        )
        _require(0 <= self.min_agreement <= 1, "min_agreement", self.min_agreement, "0..1")

    def engine_for(self, path: Path) -> EngineChoice:
        """Which engine is to run a model file: the one chosen, where it runs files of this kind."""
        if self.backend == "auto" or f".{ENGINES[self.backend].format}" == path.suffix.lower():
            return self.backend
        return "auto"


@dataclass(frozen=True)
class Limits:
    """How much worse a file may become; None is no limit."""

    max_slowdown: float | None = None  # as a share: 0.05 is 5 %
    max_accuracy_drop_points: float | None = None  # per cent points
    max_size_growth: float | None = None  # as a share

    def __post_init__(self) -> None:
        for name in ("max_slowdown", "max_accuracy_drop_points", "max_size_growth"):
            value = getattr(self, name)
            _require(value is None or value >= 0, name, value, "0 or more")


def _require(condition: bool, name: str, value: float | None, expected: str) -> None:
    if not condition:
        raise UsageError(f"{name} is {value}, expected {expected}")
