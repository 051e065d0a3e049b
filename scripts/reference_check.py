"""Score the shipped reference models on the real test pictures, and print the table.

`make reference-check` runs this: each int8 file through `edge_runtime`, on the 10,000 Fashion-MNIST
test pictures, in under a minute. Exit code 1 where one is outside its goal.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from benchmarks.measures.size import parts
from edge_runtime import Classifier, console, modelfile, models
from edge_runtime.errors import ModelError
from export import reference
from scripts.reports import REPORTS, read_file
from train import datasets
from train.datasets import Split

SHIPPED: Final = (models.FOLDER, *map(reference.folder, reference.MODELS))
HEADINGS: Final = ("model", "parameters", "int8 file, bytes", "right, %", "goal, %", "verdict")

_BATCH: Final = 500


@dataclass(frozen=True)
class Goal:
    """What a reference model must keep to."""

    parameters: int  # at most
    size_bytes: int  # of the int8 file without golden samples, at most
    accuracy: float  # of the int8 file, at least


GOALS: Final = {
    "nano": Goal(20_000, 32 * 1024, 0.928),
    "small": Goal(100_000, 125 * 1024, 0.948),
    "base": Goal(300_000, 380 * 1024, 0.955),
}


@dataclass(frozen=True)
class Score:
    """One shipped file, scored."""

    name: str
    file: Path
    parameters: int
    size_bytes: int  # without golden samples
    accuracy: float  # 0..1

    @property
    def goal(self) -> Goal:
        """What it must keep to."""
        return GOALS[self.name]

    @property
    def passed(self) -> bool:
        """Whether it does."""
        goal = self.goal
        small = self.parameters <= goal.parameters and self.size_bytes <= goal.size_bytes
        return small and self.accuracy >= goal.accuracy


def main(argv: Sequence[str] | None = None) -> int:
    """Score, print, and say whether every goal is met."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument(
        "folders",
        nargs="*",
        type=Path,
        default=SHIPPED,
        help="where int8 .tflite files are (default: where the package ships them)",
    )
    parser.add_argument("--data", type=Path, metavar="DIR", help="the folder of Fashion-MNIST")
    arguments = parser.parse_args(argv)
    return console.run("reference-check", lambda: check(arguments.folders, arguments.data))


def check(folders: Sequence[Path], data: Path | None) -> int:
    """Print the table of all int8 files in these folders; 0 when all keep to their goals."""
    started = time.monotonic()
    files = sorted({path for folder in folders for path in folder.glob("*.int8.tflite")})
    if not files:
        raise ModelError(f"no int8 .tflite file is in {', '.join(map(str, folders))}")
    test = datasets.load("fashion-mnist", data_dir=data).test
    scores = sorted((score(path, test) for path in files), key=lambda each: each.parameters)
    for line in table(scores):
        print(line)
    if missing := GOALS.keys() - {each.name for each in scores} if folders == SHIPPED else ():
        raise ModelError(f"no int8 file of {', '.join(sorted(missing))} is shipped")
    seconds = time.monotonic() - started
    print(f"\n{len(test):,} test pictures, through edge_runtime, in {seconds:.0f} s")
    return 0 if all(each.passed for each in scores) else 1


def score(path: Path, test: Split) -> Score:
    """Ask one int8 file about all test pictures."""
    file = modelfile.read(path)
    classifier = Classifier.open(path)
    answers = [
        classifier.scores(test.images[start : start + _BATCH]).argmax(axis=1)
        for start in range(0, len(test), _BATCH)
    ]
    name, parameters = _known(file)
    return Score(
        name=name,
        file=path,
        parameters=parameters,
        size_bytes=len(file.data) - parts(file).golden_bytes,
        accuracy=float(np.mean(np.concatenate(answers) == test.labels)),
    )


def table(scores: Sequence[Score]) -> list[str]:
    """The scores as lines of Markdown."""
    rows = [
        (
            each.name,
            f"{each.parameters:,} (≤ {each.goal.parameters:,})",
            f"{each.size_bytes:,} (≤ {each.goal.size_bytes:,})",
            f"{each.accuracy:.2%}".rstrip("%"),
            f"≥ {each.goal.accuracy:.1%}".rstrip("%"),
            "met" if each.passed else "MISSED",
        )
        for each in scores
    ]
    lines = [HEADINGS, ("---", *["---:"] * 4, "---"), *rows]
    return [f"| {' | '.join(line)} |" for line in lines]


def _known(file: modelfile.ModelFile) -> tuple[str, int]:
    """The name and the number of parameters of the model that a file was made from."""
    if file.spec is None:
        raise ModelError(f"{file.path} does not say what it is; export it again")
    digest = file.spec.provenance.source_sha256
    for name in GOALS:
        for report in sorted((REPORTS / name).rglob("export.json")):  # of each seed
            if read_file(report).get("source_sha256") == digest:
                return name, int(read_file(report.with_name("train.json"))["parameters"])
    raise ModelError(f"{file.path} is made from none of the reference models in {REPORTS}")


if __name__ == "__main__":
    sys.exit(main())
