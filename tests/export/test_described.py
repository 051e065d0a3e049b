"""What flags say of a model made elsewhere, and what is refused before a frame of it is loaded."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from edge_runtime.errors import EdgeError, UsageError
from export import Description
from export.source.contents import code_in
from export.source.described import Facts, spec_of
from export.source.keras2 import mended

MODEL = Path("cats.h5")
GREY = Facts(28, 28, 1, 2, "logits", "nothing")
RGB = replace(GREY, channels=3)


@pytest.fixture
def labels(tmp_path: Path) -> Path:
    path = tmp_path / "labels.txt"
    path.write_text("cat\ndog\n")
    return path


def test_labels_that_occur_twice_are_told_apart(labels: Path) -> None:
    labels.write_text("crane\ncrane\n")
    spec = spec_of(MODEL, GREY, Description(labels=labels, input_range="0..1"))
    assert spec.labels == ("crane (0)", "crane (1)")


@pytest.mark.parametrize(
    ("flags", "mean", "std"),
    [
        ({"input_range": "0..1"}, (0, 0, 0), (255, 255, 255)),
        ({"input_range": "-1..1"}, (127.5,) * 3, (127.5,) * 3),
        ({"input_range": "0..255"}, (0, 0, 0), (1, 1, 1)),
        ({"mean": (3.0,), "std": (2.0,)}, (3, 3, 3), (2, 2, 2)),
        ({"mean": (1.0, 2.0, 3.0), "std": (2.0,)}, (1, 2, 3), (2, 2, 2)),
    ],
)
def test_the_flags_say_how_pixels_are_normalised(
    flags: dict[str, object], mean: object, std: object, labels: Path
) -> None:
    spec = spec_of(MODEL, RGB, Description(labels=labels, **flags))  # type: ignore[arg-type]
    assert (spec.image.mean, spec.image.std) == (mean, std)
    assert (spec.name, spec.labels, spec.image.color) == ("cats", ("cat", "dog"), "rgb")


def test_a_model_that_scales_inside_needs_no_flag(labels: Path) -> None:
    spec = spec_of(MODEL, replace(GREY, inside="from 0..255"), Description(labels=labels))
    assert (spec.image.mean, spec.image.std, spec.image.color) == ((0.0,), (1.0,), "gray")


@pytest.mark.parametrize("flags", [{"input_range": "0..1"}, {"mean": (0.0,), "std": (255.0,)}])
def test_scaling_twice_is_refused(flags: dict[str, object], labels: Path) -> None:
    inside = replace(GREY, inside="from 0..255")
    with pytest.raises(UsageError, match="would scale them twice; leave it out"):
        spec_of(MODEL, inside, Description(labels=labels, **flags))  # type: ignore[arg-type]


def test_what_is_missing_is_named_by_its_flag(labels: Path) -> None:
    with pytest.raises(UsageError, match="add --labels FILE"):
        spec_of(MODEL, GREY, Description(input_range="0..1"))
    with pytest.raises(UsageError, match=r"--input-range 0\.\.1\|-1\.\.1\|0\.\.255, or --mean"):
        spec_of(MODEL, GREY, Description(labels=labels))
    with pytest.raises(UsageError, match=r"its Normalization layer has seen 0\.\.1"):
        spec_of(MODEL, replace(GREY, inside="from 0..1"), Description(labels=labels))


def test_another_number_of_labels_than_scores_is_refused(labels: Path) -> None:
    with pytest.raises(UsageError, match=r"gives 3 scores, --labels .* has 2 labels"):
        spec_of(MODEL, replace(GREY, classes=3), Description(labels=labels, input_range="0..1"))


@pytest.mark.parametrize(
    ("flags", "complaint"),
    [
        ({"mean": (0.0,)}, "--mean and --std go together"),
        ({"mean": (0.0,), "std": (9.0,), "input_range": "0..1"}, "give one of them"),
        ({"mean": (0.0,), "std": (0.0,)}, "--std is 0, expected numbers above 0"),
        ({"mean": (0.485,), "std": (0.229,)}, r"looks like a share of 1; .*0\.229 is 58\.395"),
    ],
)
def test_flags_that_contradict_each_other_are_refused(
    flags: dict[str, object], complaint: str
) -> None:
    with pytest.raises(EdgeError, match=complaint):
        Description(**flags)  # type: ignore[arg-type]


def test_code_in_a_configuration_is_found_wherever_it_stands() -> None:
    dense = {"module": "keras.layers", "class_name": "Dense", "config": {"name": "dense"}}
    assert list(code_in({"class_name": "Sequential", "config": {"layers": [dense]}})) == []
    hidden = {"module": "os", "class_name": "system", "config": "ls", "registered_name": None}
    activation = {**dense, "config": {"name": "dense", "activation": hidden}}
    assert list(code_in({"config": {"layers": [dense, activation]}})) == ["os.system"]
    marshalled = {"class_name": "__lambda__", "config": {"value": "4wEAAA"}}
    assert list(code_in([{**dense, "config": {"function": marshalled}}])) != []


def test_an_old_configuration_is_put_into_new_words() -> None:
    depthwise = {"class_name": "DepthwiseConv2D", "config": {"groups": 1, "name": "it"}}
    first = {"class_name": "Conv2D", "config": {"batch_input_shape": [None, 8, 8, 1]}}
    normalisation = {"class_name": "BatchNormalization", "config": {"axis": [3]}}
    inner = {
        "class_name": "Sequential",
        "config": {"layers": [first, normalisation, depthwise]},
    }
    config = mended({"class_name": "Functional", "config": {"layers": [inner]}})
    image, convolution, normal, last = config["config"]["layers"][0]["config"]["layers"]
    assert normal["config"]["axis"] == 3
    assert image["config"]["batch_shape"] == [None, 8, 8, 1]
    assert convolution["config"] == {}
    assert last["config"] == {"name": "it"}
    assert "groups" in json.dumps(inner)  # what was given is left as it was
