"""What is to be measured: the model files that were named, and the evaluation set of each."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import get_args

from benchmarks.evaluation import DEFAULT_NAME, EvaluationSet, load
from benchmarks.settings import Settings
from edge_runtime.errors import InputError, UsageError
from edge_runtime.spec import Format


def model_files(sources: Sequence[Path]) -> list[Path]:
    """The model files that files and folders mean, each once, a folder's in order of name.

    Raises:
        UsageError: a folder is missing or holds no model files.
    """
    found: list[Path] = []
    suffixes = {f".{kind}" for kind in get_args(Format)}
    for source in sources:
        if source.is_dir():
            inside = sorted(path for path in source.iterdir() if path.suffix.lower() in suffixes)
            if not inside:
                raise UsageError(
                    f"{source} holds no .tflite or .onnx file; "
                    "name the folder that `python -m export` wrote"
                )
            found += inside
        elif source.exists() or source.suffix.lower() in suffixes:
            found.append(source)  # a missing file among several is a row of the report
        else:
            raise UsageError(f"{source} does not exist; make it with `python -m export`")
    return list(dict.fromkeys(found))


def evaluation_sets(
    files: Sequence[Path], named: Path | None, settings: Settings
) -> dict[Path, EvaluationSet | InputError | None]:
    """Each model file's evaluation set: the one that was named, or else the one beside the file.

    Returns:
        For every file its set, or why that cannot be used; None where there is none.

    Raises:
        UsageError: the one that was named does not exist.
    """
    if named is not None and not named.exists():
        raise UsageError(f"{named} does not exist; check --evaluation")
    homes = {file: named or file.parent / DEFAULT_NAME for file in files}
    sets = {
        home: _loaded(home, settings) for home in dict.fromkeys(homes.values()) if home.exists()
    }
    return {file: sets.get(home) for file, home in homes.items()}


def _loaded(path: Path, settings: Settings) -> EvaluationSet | InputError:
    try:
        return load(path, limit=settings.limit, seed=settings.seed)
    except InputError as error:
        return error
