from __future__ import annotations

import io
import random
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edge_runtime import golden, modelfile
from edge_runtime.errors import ModelError
from edge_runtime.modelfile import ModelFile


def samples_of(file: ModelFile) -> tuple[Any, Any]:
    assert file.golden is not None
    with np.load(io.BytesIO(file.golden)) as samples:
        return samples["images"], samples["scores"]


def test_every_model_agrees_with_the_original_on_this_machine(model_path: Path) -> None:
    report = golden.check(modelfile.read(model_path))
    assert report.passed
    assert report.samples == report.agreeing == 16
    assert report.max_score_difference <= report.tolerance


def test_a_report_is_a_sentence(model_path: Path) -> None:
    report = golden.GoldenReport(16, 15, 0.0041, 0.02)
    assert str(report) == "15/16 agree, largest score difference 0.0041 (tolerance 0.0200)"
    assert str(golden.check(modelfile.read(model_path))).startswith("16/16 agree")


def test_another_best_label_fails(model_path: Path) -> None:
    file = modelfile.read(model_path)
    images, scores = samples_of(file)
    report = golden.check(replace(file, golden=golden.pack(images, np.roll(scores, 1, axis=1))))
    assert report.agreeing == 0
    assert not report.passed


def test_the_same_labels_with_other_scores_fail(model_path: Path) -> None:
    file = modelfile.read(model_path)
    images, scores = samples_of(file)
    file = replace(file, golden=golden.pack(images, scores * 0.8))
    report = golden.check(file)
    assert report.agreeing == report.samples
    assert report.max_score_difference > report.tolerance
    assert not report.passed


def test_the_files_own_tolerance_counts(model_path: Path) -> None:
    file = modelfile.read(model_path)
    assert file.spec is not None
    assert file.spec.variant is not None
    assert golden.check(file).tolerance == file.spec.variant.golden_tolerance
    unknown = replace(file, spec=replace(file.spec, variant=None))
    assert golden.check(unknown).tolerance == 0.02


def test_packing_is_lossless_and_gives_the_same_bytes_every_time(models: Path) -> None:
    file = modelfile.read(models / "halves.int8.tflite")
    images, scores = samples_of(file)
    packed = golden.pack(images, scores)
    assert packed == golden.pack(images.copy(), scores.astype(np.float64))
    again_images, again_scores = samples_of(replace(file, golden=packed))
    assert np.array_equal(again_images, images)
    assert np.array_equal(again_scores, scores)


# --- samples that cannot be replayed -----------------------------------------------------------


def test_a_file_without_samples_says_what_to_do(model_path: Path) -> None:
    file = replace(modelfile.read(model_path), golden=None)
    with pytest.raises(ModelError, match="holds no golden samples; export its original with"):
        golden.check(file)


def test_a_file_without_spec_has_nothing_to_compare(model_path: Path) -> None:
    with pytest.raises(ModelError, match="holds no golden samples; export its original with"):
        golden.check(replace(modelfile.read(model_path), spec=None))


def packed(**arrays: Any) -> bytes:
    file = io.BytesIO()
    np.savez(file, **arrays)
    return file.getvalue()


IMAGES = np.zeros((2, 8, 8, 1), np.uint8)
SCORES = np.full((2, 4), 0.25, np.float32)


@pytest.mark.parametrize(
    "samples",
    [
        {"images": IMAGES[:0], "scores": SCORES[:0]},
        {"images": IMAGES[:1], "scores": SCORES},
        {"images": IMAGES[..., 0], "scores": SCORES},
        {"images": np.zeros((2, 9, 8, 1), np.uint8), "scores": SCORES},
        {"images": IMAGES.astype(np.float32), "scores": SCORES},
        {"images": IMAGES, "scores": SCORES[:, :3]},
        {"images": IMAGES, "scores": SCORES[0]},
    ],
)
def test_samples_that_do_not_fit_the_spec_are_a_model_error(
    models: Path, samples: dict[str, Any]
) -> None:
    file = modelfile.read(models / "halves.int8.tflite")
    with pytest.raises(ModelError, match="do not fit its spec; export it again"):
        golden.check(replace(file, golden=packed(**samples)))


@pytest.mark.parametrize(
    "junk",
    [b"", b"PK\3\4", b"\x93NUMPY", packed(images=IMAGES), packed(images=IMAGES, scores=[{}])],
)
def test_samples_that_cannot_be_read_are_a_model_error(models: Path, junk: bytes) -> None:
    file = modelfile.read(models / "halves.int8.tflite")
    with pytest.raises(ModelError, match="golden samples are not readable"):
        golden.check(replace(file, golden=junk))


def test_damaged_samples_are_a_model_error_and_nothing_else(models: Path) -> None:
    file = modelfile.read(models / "halves.int8.tflite")
    assert file.golden is not None
    randomness = random.Random(0)  # noqa: S311
    failures = 0
    for _ in range(60):
        damaged = bytearray(file.golden)
        damaged[randomness.randrange(len(damaged))] ^= 1 << randomness.randrange(8)
        try:
            golden.check(replace(file, golden=bytes(damaged)))
        except ModelError:
            failures += 1
    assert failures > 30, "the archive's own checksums find most"


def test_samples_that_would_fill_the_memory_are_refused(model_path: Path) -> None:
    file = modelfile.read(model_path)
    bomb = golden.pack(np.zeros((90_000, 28, 28, 1), np.uint8), np.zeros((90_000, 10), np.float32))
    assert len(bomb) < 200_000
    with pytest.raises(ModelError, match="unpacks to more than 67,108,864 bytes"):
        golden.check(replace(file, golden=bomb))
