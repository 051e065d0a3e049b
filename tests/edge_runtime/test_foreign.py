"""Models as others make them, in tests/models/foreign, through the real engines."""

from __future__ import annotations

import io
import pickle
import zipfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from edge_runtime import Classifier, foreign, modelfile, opening
from edge_runtime.cli import main
from edge_runtime.description import Description
from edge_runtime.engines import installed_formats
from edge_runtime.errors import DamagedModelError, EdgeError, ModelError, UsageError

Half = Callable[..., NDArray[np.uint8]]

HALVES = ("top", "bottom", "left", "right")
COLOURS = ("red", "green", "blue")
UNIT: dict[str, Any] = {"input_range": "0..1"}
SIZE: dict[str, Any] = {**UNIT, "size": (12, 16)}

# What is said of each, and what its answers are.
MODELS: dict[str, tuple[tuple[str, ...], dict[str, Any]]] = {
    "int8.tflite": (HALVES, {}),
    "uint8.tflite": (HALVES, {}),
    "cast.tflite": (HALVES, {}),
    "batch-4.tflite": (HALVES, UNIT),
    "rows.tflite": (HALVES, UNIT),
    "nchw.tflite": (COLOURS, UNIT),
    "any-size.tflite": (COLOURS, SIZE),
    "nchw-bgr-batch-2.onnx": (COLOURS, {**UNIT, "color": "bgr"}),
    "uint8.onnx": (HALVES, {}),
    "any-size.onnx": (COLOURS, SIZE),
    "hard-sigmoid.onnx": (HALVES, {**UNIT, "scores": "probabilities"}),
}
runnable = pytest.mark.parametrize(
    "name", [name for name in MODELS if name.partition(".")[2] in installed_formats()]
)


@pytest.fixture
def folder(models: Path) -> Path:
    return models / "foreign"


@pytest.fixture
def pictures(half: Half) -> dict[str, NDArray[np.uint8]]:
    """A picture for each label."""
    shades = {name: np.full((8, 8, 3), 20, np.uint8) for name in COLOURS}
    for channel, picture in enumerate(shades.values()):
        picture[..., channel] = 200
    return {name: half(name) for name in HALVES} | shades


def described(labels: tuple[str, ...], said: dict[str, Any]) -> Description:
    return Description(labels=labels, **said)


@runnable
def test_every_kind_is_opened_and_right(
    name: str, folder: Path, pictures: dict[str, NDArray[np.uint8]]
) -> None:
    labels, said = MODELS[name]
    classifier = Classifier.open(folder / name, description=described(labels, said), trusted=True)
    answers = [classifier.classify(pictures[label]).best for label in labels]
    assert [answer.label for answer in answers] == list(labels)
    if name != "hard-sigmoid.onnx":
        assert all(answer.score > 0.9 for answer in answers)


@runnable
def test_a_batch_is_its_pictures_one_by_one(name: str, folder: Path) -> None:
    labels, said = MODELS[name]
    classifier = Classifier.open(folder / name, description=described(labels, said), trusted=True)
    image = classifier.spec.image
    shape = (5, image.height, image.width, image.channels)
    batch = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    alone = np.concatenate([classifier.scores(batch[index : index + 1]) for index in range(5)])
    assert np.allclose(classifier.scores(batch), alone, atol=1e-5)


@pytest.mark.parametrize("form", installed_formats())
def test_what_is_taken_for_granted_is_told(form: str, folder: Path) -> None:
    opened = Classifier.open(
        folder / f"uint8.{form}", description=Description(labels=HALVES), trusted=True
    )
    notes = "; ".join(opened.notes)
    assert "labels from the description" in notes
    assert "pixels 0..255 as they are, as its input is uint8" in notes
    assert "pictures stretched to 8 x 8" in notes
    assert "scores are " in notes


def test_an_int8_input_tells_its_range(folder: Path) -> None:
    opened = Classifier.open(
        folder / "int8.tflite", description=Description(labels=HALVES), trusted=True
    )
    assert "pixels scaled to 0..1, as its input holds 0 to 1" in opened.notes
    assert opened.spec.image.std == (255.0,)


@pytest.mark.parametrize(
    ("rows", "kind"),
    [
        ([[0.2, 0.8], [0.995, 0.005]], "probabilities"),
        ([[0.2, 0.8], [1.5, 0.1]], "logits"),
        ([[0.2, 0.8], [-0.5, 0.1]], "logits"),
    ],
)
def test_answers_tell_what_the_last_operation_does_not(rows: list[list[float]], kind: str) -> None:
    assert opening._judged(Path("model.onnx"), np.array(rows, np.float32)) == kind


def test_answers_that_leave_a_doubt_ask_for_a_flag() -> None:
    with pytest.raises(UsageError, match="do not sum to 1; add --scores probabilities, or"):
        opening._judged(Path("model.onnx"), np.array([[0.2, 0.2], [0.9, 0.8]], np.float32))


# --- what is missing, before any engine ----------------------------------------------------------


def describe(path: Path, **said: Any) -> foreign.Described:
    return foreign.describe(modelfile.read(path), Description(**said))


@pytest.mark.parametrize(
    ("name", "said", "complaint"),
    [
        ("rows.tflite", {}, r"no labels inside or beside it; add --labels FILE"),
        ("rows.tflite", {"labels": HALVES}, r"add --input-range 0\.\.1\|-1\.\.1\|0\.\.255, or"),
        ("any-size.onnx", {"labels": COLOURS, **UNIT}, "any size; add --size HEIGHTxWIDTH"),
        ("any-size.tflite", {"labels": COLOURS, **UNIT}, "any size; add --size HEIGHTxWIDTH"),
        ("rows.tflite", {"labels": HALVES[:3]}, "3 labels .* looks like a background class; .* fi"),
        ("rows.tflite", {"labels": (*HALVES, "x")}, "a background class that the model does not"),
        ("rows.tflite", {"labels": (*HALVES, "x", "y")}, "6 labels .*; name the model's own with"),
        ("nchw.tflite", {"labels": COLOURS, "layout": "nhwc"}, "--layout nhwc does not fit"),
        ("nchw.tflite", {"labels": COLOURS, "color": "gray"}, "3 channel.* --color is gray; leave"),
        ("rows.tflite", {"labels": HALVES, "size": (9, 9)}, "pictures of 8x8; leave out --size"),
        ("int8.tflite", {"labels": HALVES, "input_range": "0..255"}, "from 0 to 1, which .* leave"),
        ("uint8.onnx", {"labels": HALVES, "input_range": "0..1"}, "or hardly use; say it otherwis"),
        (
            "uint8.tflite",
            {"labels": HALVES, "mean": (0.0, 1.0), "std": (9.0, 9.0)},
            "2 values for 1",
        ),
    ],
)
def test_what_is_missing_or_contradicts_names_its_flag(
    name: str, said: dict[str, Any], complaint: str, folder: Path
) -> None:
    with pytest.raises(UsageError, match=complaint):
        describe(folder / name, **said)


@pytest.mark.parametrize("form", ["tflite", "onnx"])
def test_a_model_with_two_outputs_is_refused_by_their_names(form: str, folder: Path) -> None:
    with pytest.raises(ModelError, match=r"has 2 outputs \(.* x 4 float32\); .*\): a picture"):
        describe(folder / f"two-outputs.{form}", labels=HALVES)


def test_what_is_no_classifier_is_refused_for_what_it_gives(folder: Path) -> None:
    with pytest.raises(ModelError, match=r"gives .*\(\? x 8 x 8 x 1 float32\).* no picture class"):
        describe(folder / "map.tflite", labels=HALVES)
    with pytest.raises(ModelError, match="one score a picture, a yes or no"):
        describe(folder / "yes-or-no.tflite", labels=HALVES)


def test_flags_for_a_file_that_says_it_itself_are_refused(model_path: Path) -> None:
    with pytest.raises(UsageError, match="says this itself; leave out --labels and --color"):
        Classifier.open(model_path, description=Description(labels=HALVES, color="rgb"))


# --- labels --------------------------------------------------------------------------------------


@pytest.mark.parametrize("beside", ["rows.txt", "labels.txt"])
def test_labels_beside_the_model_are_found(beside: str, folder: Path, tmp_path: Path) -> None:
    path = tmp_path / "rows.tflite"
    path.write_bytes((folder / "rows.tflite").read_bytes())
    (tmp_path / beside).write_text("0 top\n1 bottom\n2 left\n3 right\n")
    found = describe(path, **UNIT)
    assert found.labels == HALVES
    assert found.notes[0] == f"labels from {tmp_path / beside}"


def packed(folder: Path, tmp_path: Path, **members: str) -> Path:
    file = io.BytesIO((folder / "rows.tflite").read_bytes())
    with zipfile.ZipFile(file, "a") as archive:
        for name, text in members.items():
            archive.writestr(name.replace("_", "."), text)
    path = tmp_path / "packed.tflite"
    path.write_bytes(file.getvalue())
    return path


def test_labels_packed_inside_are_found_before_those_beside(folder: Path, tmp_path: Path) -> None:
    path = packed(folder, tmp_path, labels_txt="0:top\n1:bottom\n2:left\n3:right\n")
    (tmp_path / "labels.txt").write_text("wrong\n")
    assert describe(path, **UNIT).labels == HALVES
    given = describe(path, labels=("a", "b", "c", "d"), **UNIT)
    assert given.labels == ("a", "b", "c", "d"), "a flag counts for more"


def test_a_label_that_occurs_twice_gets_its_number(folder: Path) -> None:
    labels = ("crane", "bottom", "crane", "right")
    assert describe(folder / "rows.tflite", labels=labels, **UNIT).labels == (
        "crane (0)",
        "bottom",
        "crane (2)",
        "right",
    )


def test_a_label_with_an_escape_sequence_is_refused(folder: Path) -> None:
    found = describe(folder / "rows.tflite", labels=("a", "b", "c", "\x1b[2J"), **UNIT)
    with pytest.raises(ModelError, match=r"'\\x1b\[2J' must be 1 to 200 printable"):
        found.spec("logits")


# --- standard metadata ---------------------------------------------------------------------------


def without_our_archive(path: Path) -> bytes:
    data = path.read_bytes()
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        end = min(entry.header_offset for entry in archive.infolist())
    return data[:end].replace(modelfile.SEAL_MARK.encode(), b"made-by-someone-els")


@pytest.mark.parametrize(
    "kind", ["halves.float32", "halves.int8", "colours.float32", "colours.int8"]
)
def test_standard_metadata_says_colours_scaling_and_labels(
    kind: str, models: Path, tmp_path: Path
) -> None:
    """Our own files carry it, so without our spec they are a model that MediaPipe could read."""
    original = modelfile.read(models / f"{kind}.tflite")
    assert original.spec is not None
    path = tmp_path / "model.tflite"
    file = io.BytesIO(without_our_archive(original.path))
    with zipfile.ZipFile(file, "a") as archive:
        archive.writestr("labels.txt", "\n".join(original.spec.labels))
    path.write_bytes(file.getvalue())
    found = describe(path)
    assert found.labels == original.spec.labels
    image, expected = found.image, original.spec.image
    assert (image.color, image.mean, image.std) == (expected.color, expected.mean, expected.std)
    assert found.scores == original.spec.scores
    assert (image.height, image.width) == (expected.height, expected.width)


@pytest.mark.parametrize("kind", ["halves", "colours"])
def test_onnx_keys_say_colours_and_range(kind: str, models: Path) -> None:
    file = modelfile.read(models / f"{kind}.float32.onnx")
    said = foreign.read_graph(file).said
    assert (said.color, said.input_range) == ("gray" if kind == "halves" else "rgb", "0..1")


def test_labels_as_ultralytics_writes_them_are_read(folder: Path, tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    names = modelfile._onnx_property("names", "{0: 'top', 1: 'bottom', 2: \"left's\", 3: 'right'}")
    path.write_bytes((folder / "uint8.onnx").read_bytes() + names)
    assert describe(path).labels == ("top", "bottom", "left's", "right")


# --- damage --------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["uint8.tflite", "rows.tflite", "uint8.onnx", "any-size.onnx"])
def test_any_cut_and_any_byte_is_described_or_refused(name: str, folder: Path) -> None:
    """Without an engine: the reader itself never fails otherwise, whatever stands in the file."""
    path = folder / name
    whole = path.read_bytes()
    random = np.random.default_rng(0)
    for step in range(400):
        data = bytearray(whole)
        if step % 4 == 0:
            del data[int(random.integers(len(data))) :]
        else:
            for place in random.integers(len(data), size=1 + step % 3):
                data[place] = random.integers(256)
        read = modelfile._read_tflite if name.endswith("tflite") else modelfile._read_onnx
        with suppress(EdgeError):
            foreign.describe(read(path, bytes(data)), Description(labels=HALVES, **UNIT))


def test_a_damaged_graph_says_so(folder: Path) -> None:
    data = bytearray((folder / "rows.tflite").read_bytes())
    data[0:4] = (8).to_bytes(4, "little")
    data[8:12] = (0x7FFFFFFF).to_bytes(4, "little")
    file = modelfile._read_tflite(folder / "rows.tflite", bytes(data))
    with pytest.raises(DamagedModelError, match=r"is damaged \(byte .*\); copy it again"):
        foreign.read_graph(file)


# --- what else a classifier can ------------------------------------------------------------------


def test_a_classifier_of_a_model_made_elsewhere_can_be_sent_to_another_process(
    folder: Path, pictures: dict[str, NDArray[np.uint8]], tmp_path: Path
) -> None:
    """It is not tried again there, and its labels travel with it."""
    labels = tmp_path / "labels.txt"
    labels.write_text("\n".join(COLOURS))
    name = next(name for name in ("nchw-bgr-batch-2.onnx", "nchw.tflite") if runs(name))
    color = "bgr" if "bgr" in name else "rgb"
    sent = Classifier.open(
        folder / name, description=Description(labels=labels, color=color, **UNIT), trusted=True
    )
    labels.unlink()
    arrived = pickle.loads(pickle.dumps(sent))  # noqa: S301  our own
    for colour in COLOURS:
        assert arrived.classify(pictures[colour]).best == sent.classify(pictures[colour]).best
        assert arrived.classify(pictures[colour]).best.label == colour


def runs(name: str) -> bool:
    return name.partition(".")[2] in installed_formats()


def test_preview_shows_what_a_model_made_elsewhere_sees(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    picture, labels = tmp_path / "red.png", tmp_path / "labels.txt"
    Image.new("RGB", (30, 20), "red").save(picture)
    labels.write_text("\n".join(COLOURS))
    command = ["preview", str(picture), "--model", str(folder / "any-size.tflite")]
    command += ["--labels", str(labels), "--input-range", "0..1"]
    assert main([*command, "--size", "6x9", "--layout", "nhwc"]) == 0
    assert "9 x 6 RGB pixels" in capsys.readouterr().out
    assert main(command) == 2
    assert "add --size HEIGHTxWIDTH" in capsys.readouterr().err
