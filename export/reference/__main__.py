"""`python -m export.reference NAME RUN EXPORTED`: make a trained model the one that is shipped.

Fills its folder from a run directory, and that or edge_runtime/models/ with int8 files of its export.
"""

from __future__ import annotations

import argparse
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Final, get_args

import numpy as np
from numpy.typing import NDArray

from edge_runtime import console, golden, modelfile, models
from edge_runtime.errors import InputError, ModelError
from edge_runtime.files import write_atomically
from edge_runtime.spec import Format
from export import reference
from export import source as sources
from export.source import Source

IMAGES: Final = 1000  # evaluation pictures to keep


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m export.reference", description=__doc__)
    parser.add_argument("name", choices=reference.MODELS)
    parser.add_argument("run", type=Path, help="run directory of `python -m train`")
    parser.add_argument("exported", type=Path, help="what `python -m export RUN` made of it")
    arguments = parser.parse_args(argv)
    return console.run(
        "export.reference", lambda: _fill(arguments.name, arguments.run, arguments.exported)
    )


def fill(
    run: Path,
    exported: Path,
    *,
    workstation: Path,
    device: Path,
    formats: Sequence[Format] = get_args(Format),
) -> None:
    """Copy what is shipped; everything is checked before anything is written.

    Args:
        run: a run directory.
        exported: what export made of it.
        workstation: the folder that becomes a run directory with fewer evaluation pictures.
        device: the folder that gets the int8 files.
        formats: which of them.

    Raises:
        ModelError: an int8 file is missing, damaged, of another model, or answers otherwise here.
    """
    source = sources.read(run, calibration=True)
    stem = exported / source.spec.name
    files = [_checked(Path(f"{stem}.int8.{kind}"), source) for kind in formats]
    for name in (sources.MODEL, sources.CALIBRATION, sources.SUMMARY):
        write_atomically(workstation / name, (run / name).read_bytes(), overwrite=True)
    write_atomically(workstation / sources.EVALUATION, _evaluation(source), overwrite=True)
    for file in files:
        write_atomically(device / file.path.name, file.data, overwrite=True)


def _fill(name: str, run: Path, exported: Path) -> int:
    folder = reference.folder(name)
    if name == reference.DEFAULT:
        fill(run, exported, workstation=folder, device=models.FOLDER)
    else:
        fill(run, exported, workstation=folder, device=folder, formats=("tflite",))
    print(f"{folder} holds {run} now")
    return 0


def _checked(path: Path, source: Source) -> modelfile.ModelFile:
    file = modelfile.read(path)
    if file.spec is None or file.spec.provenance.source_sha256 != source.sha256:
        raise ModelError(f"{path} is not made from {source.model}; export that again")
    replayed = golden.check(file)
    if not replayed.passed:
        raise ModelError(f"{path}: {replayed}; export it again")
    return file


def _evaluation(source: Source) -> bytes:
    """The first pictures of every class, in their order, as the bytes of an .npz."""
    if source.labels is None:
        raise InputError(f"the evaluation pictures of {source.model} have no labels; train again")
    kept = first_of_each(source.labels, len(source.spec.labels), IMAGES)
    file = io.BytesIO()
    np.savez_compressed(file, images=source.evaluation[kept], labels=source.labels[kept])
    return file.getvalue()


def first_of_each(labels: NDArray[np.int64], classes: int, count: int) -> NDArray[np.intp]:
    """Row numbers of the first `count // classes` pictures of every class, in rising order."""
    share = count // classes
    return np.sort(
        np.concatenate([np.flatnonzero(labels == label)[:share] for label in range(classes)])
    )


if __name__ == "__main__":
    raise SystemExit(main())
