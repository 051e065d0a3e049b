"""`export.export` for programs: a model in memory, its spec and arrays."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from edge_runtime import Classifier, modelfile
from edge_runtime.errors import InputError, UsageError
from edge_runtime.spec import ImageInput, ModelSpec
from export import Description, export
from export.variants import select

pytestmark = pytest.mark.slow

SPEC = ModelSpec(
    "mine",
    ("top", "bottom", "left", "right"),
    ImageInput(8, 8, "gray", (0.0,), (255.0,)),
    "logits",
)
FLOAT = select(["float32.tflite"])
Keras = Any  # a keras.Model
Labelled = tuple[NDArray[np.uint8], NDArray[np.int64]]


@pytest.fixture
def net(trained: Path) -> Keras:
    """The small trained net: pixels 0..1, shape (n, 8, 8, 1), to four logits."""
    import keras

    return keras.models.load_model(trained / "bare.keras")


@pytest.fixture(scope="module")
def judging(pictures: Callable[..., Labelled]) -> Labelled:
    return pictures(500, seed=3)


@pytest.fixture(scope="module")
def calibrating(pictures: Callable[..., Labelled]) -> NDArray[np.uint8]:
    return pictures(200, seed=2)[0]


def test_a_model_in_memory_becomes_the_files_that_its_path_would(
    net: Keras, trained: Path, judging: Labelled, calibrating: NDArray[np.uint8], tmp_path: Path
) -> None:
    given = {"evaluation": judging, "calibration": calibrating}
    report = export(net, SPEC, out=tmp_path / "out", variants=select(["int8", "float32"]), **given)
    assert report.passed, [variant.problems for variant in report.variants]
    assert report.reference is not None
    assert report.reference.accuracy > 0.8
    assert report.remarks == ("mine gives logits; pixels are normalised outside of it",)
    assert report.calibration is not None
    assert (report.calibration.source, report.calibration.images) == ("arrays", 200)
    spec = modelfile.read(tmp_path / "out" / "mine.int8.tflite").spec
    assert spec is not None
    assert replace(spec, variant=None, provenance=SPEC.provenance, reference=None) == SPEC
    again = export(trained / "bare.keras", SPEC, out=tmp_path / "again", variants=FLOAT, **given)
    assert again.variants[0].parity == report.variants[0].parity


def test_jobs_change_no_byte(
    net: Keras, judging: Labelled, calibrating: NDArray[np.uint8], tmp_path: Path
) -> None:
    digests = []
    for jobs in (1, 3):
        report = export(
            net,
            SPEC,
            out=tmp_path / str(jobs),
            evaluation=judging,
            calibration=calibrating,
            jobs=jobs,
        )
        digests.append({variant.file: variant.sha256 for variant in report.variants})
    assert digests[0] == digests[1]
    assert None not in digests[0].values()
    with pytest.raises(UsageError, match="--jobs is 0, expected 1 or more"):
        export(net, SPEC, out=tmp_path / "none", evaluation=judging, variants=FLOAT, jobs=0)


def test_the_folder_is_named_by_the_spec_when_nobody_says_where(
    net: Keras, judging: Labelled, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    images, labels = judging
    assert export(net, SPEC, evaluation=images, variants=FLOAT).reference is None
    document = json.loads(Path("exported/mine/export.json").read_text())
    assert document["evaluation_images"] == len(labels)


def test_a_subclassed_model_needs_no_file(
    net: Keras, judging: Labelled, calibrating: NDArray[np.uint8], tmp_path: Path
) -> None:
    import keras

    class Mine(keras.Model):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.net = net

        def call(self, image: Any) -> Any:
            return keras.ops.softmax(self.net(image))

    mine = Mine()
    mine(np.zeros((1, 8, 8, 1), np.float32))
    spec = replace(SPEC, scores="probabilities")
    given = {"evaluation": judging, "calibration": calibrating, "variants": select(["int8"])}
    report = export(mine, spec, out=tmp_path / "out", **given)
    assert report.passed, [variant.problems for variant in report.variants]


def test_a_model_that_normalises_is_converted_and_left_as_it_was(
    judging: Labelled, tmp_path: Path
) -> None:
    import keras

    learned = keras.layers.Normalization(axis=-1)
    learned.adapt(judging[0].astype(np.float32))
    dense = keras.layers.Dense(4)
    whole = keras.Sequential([keras.Input((8, 8, 1)), learned, keras.layers.Flatten(), dense])
    dense.set_weights([np.random.default_rng(0).normal(0, 1, (64, 4)), np.zeros(4)])
    mean = learned.mean
    spec = replace(SPEC, image=replace(SPEC.image, std=(1.0,)))
    report = export(
        whole, spec, out=tmp_path / "out", evaluation=judging[0], variants=select(["float32"])
    )
    assert report.passed, [variant.problems for variant in report.variants]
    assert learned.mean is mean
    scores = Classifier.open(tmp_path / "out" / "mine.float32.onnx").scores(judging[0][:20])
    expected = keras.ops.softmax(whole(judging[0][:20].astype(np.float32)))
    assert np.allclose(scores, expected, atol=1e-5)
    assert report.source == "mine"


@pytest.mark.parametrize(
    ("changed", "complaint"),
    [
        ({"labels": ("a", "b", "c")}, "gives 4 scores but is told 3 labels"),
        ({"scores": "probabilities"}, "gives logits, but is told to give probabilities"),
        (
            {"image": ImageInput(8, 9, "gray", (0.0,), (255.0,))},
            r"takes pictures of 8x8, but was described as 8x9|has the shape",
        ),
        (
            {"image": ImageInput(8, 8, "gray", (1000.0,), (10.0,))},
            r"pictures as described, but on 8.% with pixels .*; give --input-range",
        ),
    ],
)
def test_a_spec_that_contradicts_the_model_is_refused(
    net: Keras, judging: Labelled, tmp_path: Path, changed: dict[str, Any], complaint: str
) -> None:
    spec = replace(SPEC, **changed)
    images, labels = judging
    if len(spec.labels) < 4:
        labels = labels % 3
    with pytest.raises((UsageError, InputError), match=complaint):
        export(net, spec, out=tmp_path / "out", evaluation=(images, labels), variants=FLOAT)
    assert not (tmp_path / "out").exists()


def test_what_is_missing_is_named(net: Keras, trained: Path, judging: Labelled) -> None:
    with pytest.raises(UsageError, match="does not say what its scores mean; add --labels"):
        export(net, evaluation=judging)
    with pytest.raises(UsageError, match="comes without pictures; add --evaluation SOURCE"):
        export(net, SPEC)
    with pytest.raises(UsageError, match="comes without pictures; add --calibration SOURCE"):
        export(net, SPEC, evaluation=judging)
    with pytest.raises(UsageError, match="says this itself; leave out `spec`"):
        export(trained, SPEC)
    with pytest.raises(UsageError, match="`spec` says this; leave out --fit"):
        export(net, SPEC, description=Description(fit="crop"), evaluation=judging)
    with pytest.raises(UsageError, match=r"expected a path or a keras\.Model, got str"):
        export("mine.keras", SPEC, evaluation=judging)
