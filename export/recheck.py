"""`python -m export verify DIR`: is a folder made earlier still what its report says?"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from edge_runtime import console, golden, modelfile, npz
from edge_runtime.errors import EdgeError, InputError, UsageError
from edge_runtime.spec import Parity
from export import report
from export.golden import OTHER_MACHINE, margin
from export.limits import Limits
from export.variants import SLOW
from export.verify import Answers, measure

EVALUATION: Final = "evaluation.npz"


@dataclass(frozen=True)
class Rechecked:
    """One file of the folder, now."""

    file: str
    problems: tuple[str, ...]
    parity: Parity | None = None  # None where the file could not be run
    before: Parity | None = None  # as export measured it; None where it did on other pictures


@dataclass(frozen=True)
class _Said:
    """What the report says of one file."""

    file: str
    sha256: str
    slow: bool  # see `export.variants.Variant.slow`
    parity: Parity


@dataclass(frozen=True, eq=False)
class _Known:
    """The evaluation pictures, and what the original said."""

    images: NDArray[np.uint8]  # 0..255, shape (n, height, width, channels)
    scores: NDArray[np.float32]  # probabilities, shape (n, classes)
    labels: NDArray[np.int64] | None  # true classes, shape (n,)


def main(argv: Sequence[str]) -> int:
    """Run the command line; returns the exit code: 1 where a file is not what it was."""
    parser = console.Parser(
        prog="python -m export verify",
        description="Compare the files of an export with its report: digests, and agreement with "
        "the original on the evaluation pictures, on this machine.",
    )
    parser.add_argument("folder", type=Path, help="folder that `python -m export` made")
    folder: Path = parser.parse_args(argv).folder
    return console.run("export", lambda: _print(verify(folder)))


def verify(folder: Path) -> tuple[Rechecked, ...]:
    """Check every published file of an export again.

    Args:
        folder: what `python -m export` made.

    Returns:
        One entry per published file, each with all that is wrong with it.

    Raises:
        UsageError: `folder` is no export.
        InputError: its report or its evaluation pictures are damaged.
    """
    document = _document(folder / report.NAME)
    try:
        limits = Limits(**document["limits"])
        published = [each for each in document["variants"] if each["published"]]
        files = [
            _Said(each["file"], each["sha256"], each["precision"] in SLOW, Parity(**each["parity"]))
            for each in published
        ]
        with (folder / EVALUATION).open("rb") as file:
            arrays = npz.read(file, "images", "scores", "labels")
        known = _Known(arrays["images"], arrays["scores"], arrays.get("labels"))
        _require_whole(known, len(document["labels"]))
    except EdgeError:
        raise
    except Exception as error:  # JSON or arrays of another shape
        raise InputError(f"{folder} is damaged ({error}); export it again") from error
    return tuple(_recheck(folder, each, limits, known) for each in files)


def _require_whole(known: _Known, classes: int) -> None:
    pictures, labels = len(known.images), known.labels
    fits = pictures > 0 and known.scores.shape == (pictures, classes)
    if fits and labels is not None:
        fits = labels.shape == (pictures,) and 0 <= labels.min() <= labels.max() < classes
    if not fits:
        raise ValueError(f"{EVALUATION} does not fit its report")


def _document(path: Path) -> dict[str, Any]:
    try:
        document = json.loads(path.read_bytes())
    except FileNotFoundError as error:
        raise UsageError(
            f"{path.parent} holds no {path.name}; name a folder that `python -m export` made"
        ) from error
    except (OSError, ValueError) as error:
        raise InputError(f"{path} is not readable: {error}; export it again") from error
    if not isinstance(document, dict) or document.get("schema") != report.SCHEMA:
        raise InputError(f"{path} is of another version; export it again")
    return document


def _recheck(folder: Path, said: _Said, limits: Limits, known: _Known) -> Rechecked:
    try:
        file = modelfile.read(folder / said.file)
        answers = measure(file, known.images, known.labels, known.scores, slow=said.slow)
        replayed = None if file.golden is None else golden.check(file)
    except EdgeError as error:
        return Rechecked(said.file, (str(error),))
    before = said.parity if said.parity.images == answers.parity.images else None
    problems = list(limits.problems(answers.parity))
    if file.sha256 != said.sha256:
        problems.append(f"its digest is not that of {report.NAME}: another file under its name")
    elif before is not None:
        problems += _moved(before, answers)
    if replayed is not None and not replayed.passed:
        problems.append(f"its golden samples do not replay: {replayed}")
    return Rechecked(said.file, tuple(problems), answers.parity, before)


def _moved(before: Parity, now: Answers) -> Iterator[str]:
    """Figures that are further from those of the report than another machine's rounding explains.

    Rounding turns an answer only where the best two probabilities are so near that both moving by
    what they may makes the second the first.
    """
    close = float(np.mean(margin(now.scores) <= 2 * OTHER_MACHINE))
    shares = {
        "agrees on": (before.agreement, now.parity.agreement),
        "is right on": (before.accuracy, now.parity.accuracy),
    }
    for words, (then, found) in shares.items():
        if then is not None and found is not None and abs(found - then) > close + 1e-9:
            yield (
                f"it {words} {found:.2%} of the pictures, on {then:.2%} when it was exported: "
                f"{EVALUATION} or {report.NAME} was changed, or the engine here is at fault; "
                "export it again"
            )


def _print(rechecked: tuple[Rechecked, ...]) -> int:
    width = max((len(each.file) for each in rechecked), default=0)
    for each in rechecked:
        print(f"{each.file:{width}}  {_figures(each)}{'; '.join(each.problems) or 'as it was'}")
    bad = sum(bool(each.problems) for each in rechecked)
    print(f"{len(rechecked) - bad} of {len(rechecked)} files are as they were")
    return 1 if bad else 0


def _figures(rechecked: Rechecked) -> str:
    if rechecked.parity is None:
        return ""
    now = _shares(rechecked.parity)
    if rechecked.before is None:
        return f"{now} (export measured other pictures), "
    then = _shares(rechecked.before)
    return f"{now} (as export measured), " if now == then else f"{now} (at export: {then}), "


def _shares(parity: Parity) -> str:
    right = "" if parity.accuracy is None else f", right on {parity.accuracy:.2%}"
    return f"agrees on {parity.agreement:.2%}{right}"
