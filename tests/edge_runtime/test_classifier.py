from __future__ import annotations

import io
import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import FrozenInstanceError, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from edge_runtime import Classifier, ModelSpec, Prediction, Result, modelfile
from edge_runtime.engines import installed_formats
from edge_runtime.errors import InputError, ModelError, UsageError
from edge_runtime.spec import Decision, ImageInput

Half = Callable[..., NDArray[np.uint8]]

SPEC = ModelSpec(
    name="brightness",
    labels=("dark", "middling", "light"),
    image=ImageInput(2, 2, "gray", (0.0,), (255.0,)),
    scores="probabilities",
)
GREY_2X2 = np.full((2, 2), 200, np.uint8)


class Fake:
    """Any object with `run` is an engine."""

    def __init__(self, *scores: float) -> None:
        self._scores = scores

    def run(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        return np.array([self._scores] * len(pixels), np.float32)


def classifier(*scores: float, **settings: Any) -> Classifier:
    return Classifier(settings.pop("spec", SPEC), Fake(*scores), **settings)


# --- real engines ------------------------------------------------------------------------------


def test_every_kind_of_source_gets_the_same_answer(
    model_path: Path, half: Half, encoded: Callable[..., bytes], tmp_path: Path
) -> None:
    pixels = half("left", 40, 40)
    png = encoded(pixels)
    path = tmp_path / "left.png"
    path.write_bytes(png)
    opened = Classifier.open(model_path)
    with path.open("rb") as file:
        sources: list[Any] = [str(path), path, png, io.BytesIO(png), file, Image.fromarray(pixels)]
        sources += [pixels, pixels[..., None], np.stack([pixels] * 3, axis=-1)]
        results = opened.classify_batch(sources)
    assert len(results) == len(sources)
    assert len({result.predictions for result in results}) == 1
    if opened.spec.name == "halves":
        assert results[0].best.label == "left"


@pytest.mark.parametrize("side", ["top", "bottom", "left", "right"])
def test_pictures_of_any_size_are_named_rightly(model_path: Path, half: Half, side: str) -> None:
    opened = Classifier.open(model_path)
    if opened.spec.name != "halves":
        side, picture = "green", np.full((90, 30, 3), (0, 200, 0), np.uint8)
        assert opened.classify(picture).best.label == side
        return
    for height, width in ((8, 8), (16, 16), (90, 60), (7, 31)):
        assert opened.classify(half(side, height, width)).best.label == side


def test_a_sideways_photo_is_classified_as_the_eye_sees_it(
    models: Path, half: Half, encoded: Callable[..., bytes]
) -> None:
    note = Image.Exif()
    note[0x0112] = 6  # the sensor's left is the scene's top
    photo = encoded(half("left", 480, 640), "JPEG", exif=note)
    result = Classifier.open(models / "halves.int8.tflite").classify(photo)
    assert result.best.label == "top"


def test_the_path_may_be_text(models: Path, half: Half) -> None:
    opened = Classifier.open(str(models / "halves.int8.tflite"))
    assert opened.classify(half("top")).best.label == "top"


def test_one_classifier_serves_many_threads(
    model_path: Path, half: Half, encoded: Callable[..., bytes]
) -> None:
    opened = Classifier.open(model_path)
    pictures = [encoded(half(side, 40, 40)) for side in ("top", "bottom", "left", "right")]
    expected = [opened.classify(picture).predictions for picture in pictures]

    def ask(index: int) -> bool:
        answer = opened.classify(pictures[index % 4]).predictions
        return answer == expected[index % 4]

    with ThreadPoolExecutor(8) as threads:
        assert all(threads.map(ask, range(400)))


def test_the_result_says_which_model_spoke(models: Path, half: Half) -> None:
    path = models / "halves.int8.tflite"
    model = Classifier.open(path).classify(half("top")).model
    digest = modelfile.read(path).sha256
    assert model == {"name": "halves", "variant": "int8.tflite", "sha256": digest}


def test_scores_are_the_probabilities_behind_the_predictions(model_path: Path, half: Half) -> None:
    opened = Classifier.open(model_path)
    picture = half("top")
    result = opened.classify(picture)
    pixels = np.repeat(picture[None, ..., None], opened.spec.image.channels, axis=-1)
    scores = opened.scores(pixels)
    assert scores.shape == (1, len(opened.spec.labels))
    assert scores.sum() == pytest.approx(1, abs=1e-5)
    assert result.best.score == pytest.approx(float(scores.max()), abs=1e-6)


def test_a_label_too_many_is_an_error_when_the_file_is_opened(model_path: Path) -> None:
    file = modelfile.read(model_path)
    assert file.spec is not None
    wrong = replace(file, spec=replace(file.spec, labels=(*file.spec.labels, "background")))
    count = len(file.spec.labels)
    with pytest.raises(
        ModelError, match=rf"gives {count} scores but has {count + 1} labels; export it again"
    ):
        Classifier.from_file(wrong)


# --- any engine --------------------------------------------------------------------------------


def test_an_object_with_run_is_all_it_takes() -> None:
    result = classifier(0.1, 0.2, 0.7).classify(GREY_2X2)
    assert result.best == Prediction("light", 2, pytest.approx(0.7))
    assert [found.label for found in result.predictions] == ["light", "middling", "dark"]
    assert result.model == {"name": "brightness"}
    assert result.source is None


def test_the_result_as_json_is_the_documented_one(tmp_path: Path) -> None:
    path = tmp_path / "boot.png"
    Image.fromarray(np.full((9, 9), 250, np.uint8)).save(path)
    spec = replace(SPEC, image=replace(SPEC.image, polarity="light-on-dark"))
    result = classifier(0.0, 0.25, 0.75, spec=spec, top_k=2).classify(path)
    document = json.loads(json.dumps(result.to_dict(), allow_nan=False))
    timing = document.pop("timing_ms")
    assert document == {
        "source": str(path),
        "model": {"name": "brightness"},
        "predictions": [
            {"label": "light", "index": 2, "score": 0.75},
            {"label": "middling", "index": 1, "score": 0.25},
        ],
        "unsure": False,
        "warnings": ["polarity inverted: the model expects a light object on a dark background"],
    }
    assert list(timing) == ["decode", "preprocess", "inference", "postprocess"]
    assert all(isinstance(value, float) and value > 0 for value in timing.values())
    assert list(result.to_dict()) == [
        "source",
        "model",
        "predictions",
        "unsure",
        "timing_ms",
        "warnings",
    ]


@pytest.mark.parametrize(
    ("threshold", "unsure"), [(0.0, False), (0.5, False), (0.51, True), (1.0, True)]
)
def test_a_best_score_below_the_threshold_is_unsure(threshold: float, unsure: bool) -> None:
    spec = replace(SPEC, decision=Decision(threshold=threshold))
    assert classifier(0.5, 0.3, 0.2, spec=spec).classify(GREY_2X2).unsure is unsure


def test_the_temperature_comes_before_the_threshold() -> None:
    spec = replace(SPEC, scores="logits", decision=Decision(temperature=10, threshold=0.9))
    result = classifier(5.0, 0.0, 0.0, spec=spec).classify(GREY_2X2)
    assert result.best.score == pytest.approx(0.4519, abs=1e-4)
    assert result.unsure


@pytest.mark.parametrize(("top_k", "count"), [(1, 1), (2, 2), (3, 3), (99, 3)])
def test_top_k_is_how_many_predictions_a_result_holds(top_k: int, count: int) -> None:
    assert len(classifier(0.2, 0.3, 0.5, top_k=top_k).classify(GREY_2X2).predictions) == count


@pytest.mark.parametrize("top_k", [0, -1])
def test_less_than_one_prediction_is_a_usage_error(top_k: int) -> None:
    with pytest.raises(UsageError, match=f"top_k is {top_k}, expected 1 or more"):
        classifier(1.0, top_k=top_k)


@pytest.mark.parametrize("scores", [(0.5, 0.5), (0.25,) * 4, (1.0,)])
def test_an_engine_with_another_number_of_scores_is_a_model_error(
    scores: tuple[float, ...],
) -> None:
    with pytest.raises(ModelError, match=f"gives {len(scores)} scores but has 3 labels"):
        classifier(*scores).classify(GREY_2X2)


@pytest.mark.parametrize("number", [float("nan"), float("inf"), float("-inf")])
def test_scores_that_are_no_numbers_are_never_an_answer(number: float) -> None:
    """One engine on one board was seen to give NaN, and NaN is neither sure nor unsure."""
    broken = classifier(0.1, number, 0.2, spec=replace(SPEC, scores="logits"))
    with pytest.raises(ModelError, match="scores that are no numbers"):
        broken.classify(GREY_2X2)
    with pytest.raises(ModelError, match="scores that are no numbers"):
        broken.scores(GREY_2X2[None, ..., None])


@pytest.mark.parametrize(
    "pixels",
    [
        np.zeros((1, 2, 2, 1), np.float32),
        np.zeros((1, 2, 2, 1), np.int64),
        np.zeros((1, 2, 2, 3), np.uint8),
        np.zeros((1, 3, 2, 1), np.uint8),
        np.zeros((1, 2, 2), np.uint8),
        np.zeros((2, 2), np.uint8),
        np.zeros((0, 2, 2, 1), np.uint8),
        np.uint8(3),
    ],
)
def test_pixels_of_another_shape_or_type_are_an_input_error(pixels: Any) -> None:
    with pytest.raises(InputError, match=r"expected uint8 pixels .* = \(n, 2, 2, 1\)"):
        classifier(0.1, 0.2, 0.7).scores(pixels)


def test_a_picture_that_cannot_be_used_is_an_input_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"cannot read .*no\.png"):
        classifier(0.1, 0.2, 0.7).classify(tmp_path / "no.png")


def test_the_source_is_named_where_it_has_a_name(tmp_path: Path) -> None:
    path = tmp_path / "boot.png"
    Image.fromarray(GREY_2X2).save(path)
    ours = classifier(0.1, 0.2, 0.7)
    for named in (path, str(path), Image.open(path), path.open("rb")):
        assert ours.classify(named).source == str(path)
        if not isinstance(named, str | Path):
            named.close()
    for nameless in (path.read_bytes(), GREY_2X2, io.BytesIO(path.read_bytes())):
        assert ours.classify(nameless).source is None


def test_results_cannot_be_changed() -> None:
    result = Result((Prediction("a", 0, 1.0),), unsure=False)
    with pytest.raises(FrozenInstanceError):
        result.unsure = True  # type: ignore[misc]


@pytest.mark.parametrize(
    "name",
    [
        name
        for name in ("halves.int8.tflite", "halves.float32.onnx", "colours.int8.tflite")
        if name.rpartition(".")[2] in installed_formats()
    ],
)
def test_an_array_of_the_models_size_is_named_as_the_same_picture(models: Path, name: str) -> None:
    ours = Classifier.open(models / name)
    wanted = ours.spec.image
    shape = (wanted.height, wanted.width, wanted.channels)
    pixels = np.random.default_rng(0).integers(0, 256, (4, *shape), np.uint8)
    for each in (*pixels, pixels[0][::-1], pixels[0][:, ::-1], np.asfortranarray(pixels[1])):
        array = each[..., 0] if wanted.color == "gray" else each
        through_pillow = ours.classify(Image.fromarray(array)).predictions
        assert ours.classify(each).predictions == through_pillow
        assert ours.classify(array).predictions == through_pillow
        best = ours.scores(each[None])[0].max()
        assert through_pillow[0].score == pytest.approx(best, abs=1e-6)


def test_an_array_in_grey_is_coloured_for_a_model_in_colour(models: Path) -> None:
    ours = Classifier.open(models / "colours.int8.tflite")
    grey = np.random.default_rng(0).integers(0, 256, (8, 8), np.uint8)
    coloured = ours.classify(np.stack([grey] * 3, axis=-1))
    assert ours.classify(grey).predictions == coloured.predictions
