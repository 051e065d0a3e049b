"""Everything that decides how a training run goes, as one frozen dataclass."""

from __future__ import annotations

import shlex
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, Literal

from edge_runtime.errors import UsageError

ModelName = Literal["mlp", "cnn"]
Optimizer = Literal["adam", "sgd"]
Schedule = Literal["constant", "cosine", "one-cycle"]


@dataclass(frozen=True)
class TrainConfig:
    """One training run; the same config on the same machine starts from the same weights."""

    dataset: str = "fashion-mnist"  # a known name, or a folder of IDX files
    data: Path | None = None  # the folder that holds the known data set's files
    model: ModelName = "mlp"
    epochs: int = 10
    batch_size: int = 32  # pictures a step
    optimizer: Optimizer = "adam"
    learning_rate: float = 1e-3  # the highest, where the schedule changes it
    schedule: Schedule = "cosine"
    weight_decay: float = 0.0  # decoupled; of kernels only
    label_smoothing: float = 0.0
    augment: bool = False
    limit: int | None = None  # train on so many pictures only
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("epochs", "batch_size", "limit"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise UsageError(f"{_flag(name)} is {value}, expected 1 or more")
        if self.learning_rate <= 0:
            raise UsageError(f"--learning-rate is {self.learning_rate}, expected more than 0")
        if self.weight_decay < 0:
            raise UsageError(f"--weight-decay is {self.weight_decay}, expected 0 or more")
        if not 0 <= self.label_smoothing < 1:
            raise UsageError(f"--label-smoothing is {self.label_smoothing}, expected 0 to below 1")
        if self.seed < 0:
            raise UsageError(f"--seed is {self.seed}, expected 0 or more")

    def to_dict(self) -> dict[str, Any]:
        """The config as JSON values."""
        return {**asdict(self), "data": None if self.data is None else str(self.data)}

    def command(self, out: Path) -> str:
        """The command line that repeats this run: what differs from the defaults is spelt out."""
        words = ["python", "-m", "train"]
        for item in fields(self):
            value = getattr(self, item.name)
            if value == item.default and item.name not in ("dataset", "model", "epochs"):
                continue
            words += [_flag(item.name)] if value is True else [_flag(item.name), str(value)]
        return shlex.join([*words, "--out", str(out)])


def _flag(name: str) -> str:
    return "--" + name.replace("_", "-")
