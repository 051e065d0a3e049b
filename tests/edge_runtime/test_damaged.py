"""Damaged files, by the thousand: no crash, no hang, no silent wrong answer, one line for each.

EDGEPROOF_DAMAGED sets how many of each kind are made; the full run is EDGEPROOF_DAMAGED=2000.
A file without a digest costs a process, some tenths of a second.
"""

from __future__ import annotations

import io
import os
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from time import monotonic

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from edge_runtime import Classifier
from edge_runtime.description import Description
from edge_runtime.engines import installed_formats
from edge_runtime.errors import DamagedModelError, EdgeError, InputError

COUNT = int(os.environ.get("EDGEPROOF_DAMAGED", "40"))
REQUIRED_S = 10  # beyond the start of a process, which takes a busy machine what it takes
HALVES = Description(labels=("top", "bottom", "left", "right"), input_range="0..1")
PICTURE = np.random.default_rng(0).integers(0, 256, (8, 8), np.uint8)

pytestmark = pytest.mark.slow


def damaged(data: bytes, count: int, seed: int) -> Iterator[bytes]:
    """Bytes flipped, files cut, ranges zeroed: each really another file."""
    random = np.random.default_rng(seed)
    made = 0
    while made < count:
        worse = bytearray(data)
        match int(random.integers(4)):
            case 0:
                worse[int(random.integers(len(data)))] ^= 1 << int(random.integers(8))
            case 1:
                for place in random.integers(len(data), size=int(random.integers(1, 17))):
                    worse[place] = int(random.integers(256))
            case 2:
                del worse[int(random.integers(len(data))) :]
            case _:
                start = int(random.integers(len(data)))
                length = int(random.integers(1, len(data) // 4 + 2))
                worse[start : start + length] = bytes(len(worse[start : start + length]))
        if worse != data:
            made += 1
            yield bytes(worse)


def tell(what: str, seen: Counter[str], slowest: tuple[float, str]) -> None:
    seconds, end = slowest
    print(f"\n{what}: {sum(seen.values())} files: {dict(seen)}; slowest {seconds:.1f} s: {end}")


def one_line(error: EdgeError) -> str:
    text = str(error)
    assert text
    assert text.isprintable(), repr(text)
    return type(error).__name__


def survive(
    attempts: Iterator[Callable[[], object]], *, start_s: float = 0.0
) -> tuple[Counter[str], tuple[float, str]]:
    """Make every attempt; only errors of ours may come of it, and in time.

    Args:
        attempts: one for each damaged file.
        start_s: how long a whole one takes here, where it takes a process.
    """
    seen: Counter[str] = Counter()
    slowest = 0.0, ""
    for attempt in attempts:
        started, end = monotonic(), "an answer"
        try:
            attempt()
            seen[end] += 1
        except EdgeError as error:
            seen[one_line(error)] += 1
            end = str(error)
        slowest = max(slowest, (monotonic() - started, end))
    assert slowest[0] <= REQUIRED_S + start_s, (slowest, start_s)
    return seen, slowest


@pytest.mark.parametrize("form", installed_formats())
@pytest.mark.timeout(7200)
def test_damaged_files_with_a_digest_are_all_refused(
    form: str, models: Path, tmp_path: Path
) -> None:
    names = [f"{name}.{form}" for name in ("halves.int8", "halves.float32", "colours.int8")]

    def attempts() -> Iterator[Callable[[], object]]:
        for seed, name in enumerate(names):
            for data in damaged((models / name).read_bytes(), COUNT // len(names) + 1, seed):
                path = tmp_path / name
                path.write_bytes(data)
                yield lambda path=path: Classifier.open(path)  # type: ignore[misc]

    seen, slowest = survive(attempts())
    tell(f"with a digest, {form}", seen, slowest)
    assert seen.keys() == {DamagedModelError.__name__}


@pytest.mark.parametrize("form", installed_formats())
@pytest.mark.timeout(7200)
def test_damaged_files_without_a_digest_hurt_nobody(
    form: str, models: Path, tmp_path: Path
) -> None:
    """They may answer otherwise: without a digest nobody can know."""
    names = {"tflite": ("rows", "uint8", "batch-4"), "onnx": ("uint8", "hard-sigmoid")}[form]

    def attempts() -> Iterator[Callable[[], object]]:
        for seed, name in enumerate(names):
            whole = (models / "foreign" / f"{name}.{form}").read_bytes()
            for data in damaged(whole, COUNT // len(names) + 1, seed):
                path = tmp_path / f"{name}.{form}"
                path.write_bytes(data)
                yield lambda path=path: opened(path).classify(PICTURE)  # type: ignore[misc]

    def opened(path: Path) -> Classifier:
        said = {"scores": "probabilities"} if "sigmoid" in path.name else {}
        said |= {"input_range": "0..255"} if path.name == "uint8.onnx" else {"input_range": "0..1"}
        return Classifier.open(path, description=Description(labels=HALVES.labels, **said))  # type: ignore[arg-type]

    started = monotonic()
    for name in names:
        opened(models / "foreign" / f"{name}.{form}")
    seen, slowest = survive(attempts(), start_s=(monotonic() - started) / len(names))
    tell(f"without a digest, {form}", seen, slowest)
    assert seen.keys() - {"an answer"}, "some are noticed"


@pytest.mark.timeout(7200)
def test_damaged_pictures_hurt_nobody(models: Path, tmp_path: Path) -> None:
    form = installed_formats()[0]
    classifier = Classifier.open(models / f"colours.int8.{form}")
    whole = [encoded(kind) for kind in ("JPEG", "PNG", "WEBP", "BMP", "GIF")]

    def attempts() -> Iterator[Callable[[], object]]:
        for seed, data in enumerate(whole):
            for worse in damaged(data, COUNT // len(whole) + 1, seed):
                path = tmp_path / "picture"
                path.write_bytes(worse)
                yield lambda path=path: classifier.classify(path)  # type: ignore[misc]

    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module=r"PIL\.")  # as the command line has it
        seen, slowest = survive(attempts())
    tell("pictures", seen, slowest)
    assert seen.keys() == {"an answer", InputError.__name__}


def encoded(kind: str) -> bytes:
    slope = np.linspace(0, 255, 60)
    pixels: NDArray[np.float64] = slope[:, None, None] * 0.5 + slope[None, :, None] * 0.5
    noise = np.random.default_rng(1).integers(-20, 20, (60, 60, 3))
    file = io.BytesIO()
    Image.fromarray(np.clip(pixels + noise, 0, 255).astype(np.uint8)).save(file, kind)
    return file.getvalue()
