from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from edge_runtime import Classifier, Failure, Prediction, Result
from edge_runtime.errors import DeviceError, UsageError
from edge_runtime.sources import cameras, steady
from edge_runtime.sources.steady import Steady

Half = Callable[..., NDArray[np.uint8]]


def saying(label: str, score: float = 0.9) -> Result:
    return Result((Prediction(label, 0, score),), unsure=score < 0.6)


def changes(steadied: Steady, *labels: str | tuple[str, float]) -> list[int]:
    """At which of these results what is shown changes."""
    results = [saying(label) if isinstance(label, str) else saying(*label) for label in labels]
    return [index for index, result in enumerate(results) if steadied.changes(result)]


# --- labels without flicker --------------------------------------------------------------------


def test_a_label_is_shown_when_enough_pictures_agree_and_then_not_again() -> None:
    assert changes(Steady(3, 5, 0.6), *["bag"] * 10) == [2]


def test_a_flicker_changes_nothing() -> None:
    assert changes(Steady(3, 5, 0.6), *"aaabbaaabaaabbaaa") == [2]


def test_another_label_takes_over_when_it_has_the_votes() -> None:
    assert changes(Steady(3, 5, 0.6), *"aaaabbb") == [2, 6]


def test_being_unsure_long_enough_is_shown_too_even_at_first() -> None:
    unsure = ("a", 0.2)
    assert changes(Steady(2, 3, 0.6), unsure, unsure, unsure) == [1]
    assert changes(Steady(2, 3, 0.6), "a", "a", unsure, "a", unsure, unsure) == [1, 4]


def test_what_is_shown_may_dip_where_something_new_may_not() -> None:
    dim = ("a", 0.4)  # below the threshold, above half of it
    assert changes(Steady(2, 3, 0.6), "a", "a", dim, dim, dim, "a") == [1]
    assert changes(Steady(2, 3, 0.6), "b", "b", dim, dim, dim) == [1, 3], "b went, a did not come"


def test_one_of_one_shows_every_change() -> None:
    assert changes(Steady(1, 1, 0.6), *"aabba") == [0, 2, 4]


@pytest.mark.parametrize(("needed", "of"), [(2, 4), (0, 1), (6, 5), (0, 0)])
def test_votes_that_two_labels_could_win_are_a_usage_error(needed: int, of: int) -> None:
    with pytest.raises(UsageError, match="more than half"):
        Steady(needed, of, 0.5)


# --- cameras -----------------------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path: Path, half: Half) -> Path:
    """Five pictures: top, top, left, left, and one that is broken."""
    for index, side in enumerate(("top", "top", "left", "left")):
        Image.fromarray(half(side, 20, 20)).save(tmp_path / f"{index}.png")
    (tmp_path / "4.png").write_bytes(b"broken")
    return tmp_path


@pytest.fixture
def opened(models: Path) -> Classifier:
    return Classifier.open(models / "halves.int8.tflite")


@pytest.fixture
def slept(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long each pause was; none is waited for, and nothing else takes time."""
    pauses: list[float] = []
    monkeypatch.setattr(steady, "sleep", pauses.append)
    monkeypatch.setattr(steady, "monotonic", lambda: sum(pauses))
    return pauses


def test_a_folder_is_replayed_as_if_it_were_a_camera(
    opened: Classifier, folder: Path, slept: list[float]
) -> None:
    camera = cameras.open_camera(str(folder))
    answers = list(steady.answers(opened, camera, Steady(2, 2, 0.0), fps=20))
    outcomes = [outcome for _, outcome in answers]
    assert [outcome.source for outcome in outcomes] == [
        f"{folder}/{index}.png" for index in (1, 3, 4)
    ]
    top, left, broken = outcomes
    assert isinstance(top, Result)
    assert isinstance(left, Result)
    assert isinstance(broken, Failure)
    assert (top.best.label, left.best.label) == ("top", "left")
    assert slept == pytest.approx([1 / 20] * 5)


@pytest.mark.usefixtures("slept")
def test_a_result_of_a_camera_says_when(opened: Classifier, folder: Path) -> None:
    camera = cameras.open_camera(str(folder))
    (_, outcome), *_ = steady.answers(opened, camera, Steady(1, 1, 0.0), fps=20)
    assert isinstance(outcome, Result)
    time = outcome.to_dict()["time"]
    assert len(time) == len("2026-11-25T01:11:28.123+00:00")
    assert "time" not in opened.classify(str(folder / "0.png")).to_dict()


def test_what_is_no_camera_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match="no number, not `rpicam`, and no folder"):
        cameras.open_camera("front door")


def test_an_empty_folder_is_a_camera_without_answer(tmp_path: Path) -> None:
    with pytest.raises(DeviceError, match="holds no pictures"):
        cameras.open_camera(str(tmp_path))


def test_where_no_camera_answers_every_way_says_what_it_lacks(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setitem(sys.modules, "cv2", None)  # type: ignore[arg-type]
    with pytest.raises(DeviceError) as caught:
        cameras.open_camera("7")
    for words in ("camera 7", "picamera2 is not installed", "OpenCV", "rpicam-jpeg"):
        assert words in str(caught.value)


@pytest.fixture
def rpicam(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[str], None]:
    """A function: a shell script → it is what `rpicam-jpeg` runs."""
    binaries = tmp_path / "bin"
    binaries.mkdir()
    monkeypatch.setenv("PATH", f"{binaries}:{Path(shutil.which('sh') or '/bin/sh').parent}")

    def script(text: str) -> None:
        (binaries / "rpicam-jpeg").write_text(f"#!/bin/sh\n{text}\n")
        (binaries / "rpicam-jpeg").chmod(0o755)

    return script


@pytest.mark.usefixtures("slept")
def test_rpicam_jpeg_gives_its_pictures_through_a_pipe(
    opened: Classifier, folder: Path, rpicam: Callable[[str], None]
) -> None:
    rpicam(f'echo "$@" > {folder}/asked; cat {folder}/2.png')
    camera = cameras.open_camera("rpicam")
    picture, outcome = next(steady.answers(opened, camera, Steady(1, 1, 0.0), fps=5))
    assert isinstance(outcome, Result)
    assert (outcome.source, outcome.best.label) == ("camera 0", "left")
    assert picture == (folder / "2.png").read_bytes()
    asked = (folder / "asked").read_text()
    assert "--camera 0 --nopreview" in asked
    assert asked.endswith("--output -\n")


def test_rpicam_jpeg_that_finds_no_camera_is_a_device_error(
    rpicam: Callable[[str], None],
) -> None:
    rpicam('echo "made by somebody" >&2; echo "ERROR: *** no cameras available ***" >&2; exit 255')
    with pytest.raises(DeviceError, match=r"rpicam-jpeg gives no picture: ERROR: \*\*\* no cam"):
        cameras.open_camera("rpicam").picture()


def test_rpicam_jpeg_that_gives_no_reason_is_a_device_error_with_advice(
    rpicam: Callable[[str], None],
) -> None:
    rpicam("exit 1")
    with pytest.raises(DeviceError, match="gives no picture: it does not say why; check the cam"):
        cameras.open_camera("rpicam").picture()


def test_a_camera_that_keeps_silent_is_not_waited_for(
    rpicam: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cameras, "TIMEOUT_S", 0.05)
    rpicam("exec sleep 30")
    with pytest.raises(DeviceError, match=r"does not answer within 0\.05 s; check its cable"):
        cameras.open_camera("rpicam").picture()
    with pytest.raises(DeviceError, match="camera 3 does not answer within"):
        cameras._within("camera 3", lambda: time.sleep(1))


def test_whatever_a_driver_raises_means_no_answer() -> None:
    def broken() -> Any:
        raise IndexError("list index out of range")

    with pytest.raises(DeviceError, match="camera 3 does not answer: IndexError: list index"):
        cameras._within("camera 3", broken)


class Picamera2:
    """What this project uses of picamera2, as its manual describes it."""

    def __init__(self, number: int) -> None:
        self.called = [f"open {number}"]

    def create_video_configuration(self, main: dict[str, Any]) -> dict[str, Any]:
        return {"main": main}

    def configure(self, configuration: dict[str, Any]) -> None:
        self.called.append(f"configure {configuration['main']['format']}")

    def start(self) -> None:
        self.called.append("start")

    def capture_array(self, stream: str) -> NDArray[np.uint8]:
        assert stream == "main"
        return np.full((4, 4, 3), (200, 0, 0), np.uint8)

    def stop(self) -> None:
        self.called.append("stop")

    def close(self) -> None:
        self.called.append("close")


def test_picamera2_comes_first_and_gives_red_as_red(
    models: Path, monkeypatch: pytest.MonkeyPatch, slept: list[float]
) -> None:
    module: Any = SimpleNamespace(Picamera2=Picamera2)
    monkeypatch.setitem(sys.modules, "picamera2", module)
    camera: Any = cameras.open_camera("1")
    colours = Classifier.open(models / "colours.float32.tflite")
    _, outcome = next(steady.answers(colours, camera, Steady(1, 1, 0.0), fps=5))
    assert isinstance(outcome, Result)
    assert (outcome.source, outcome.best.label) == ("camera 1", "red")
    camera.close()
    called = camera._camera.called
    assert called == ["open 1", "configure BGR888", "start", "stop", "close"]
    assert slept == []


class VideoCapture:
    """What this project uses of OpenCV's, which gives blue first."""

    def __init__(self, number: int, _api: int) -> None:
        self.number = number
        self.grabbed = 0

    def isOpened(self) -> bool:  # noqa: N802  its name
        return self.number == 0

    def set(self, _property: int, _value: float) -> bool:
        return True

    def grab(self) -> bool:
        self.grabbed += 1
        return True

    def read(self) -> tuple[bool, NDArray[np.uint8] | None]:
        if self.grabbed > 1:
            return False, None
        return True, np.full((4, 4, 3), (0, 0, 200), np.uint8)

    def release(self) -> None: ...


def test_a_usb_camera_gives_red_as_red_and_unplugged_it_is_a_device_error(
    models: Path, monkeypatch: pytest.MonkeyPatch, slept: list[float]
) -> None:
    names = ("CAP_V4L2", "CAP_PROP_FRAME_WIDTH", "CAP_PROP_FRAME_HEIGHT", "CAP_PROP_BUFFERSIZE")
    module: Any = SimpleNamespace(VideoCapture=VideoCapture, **dict.fromkeys(names, 0))
    monkeypatch.setitem(sys.modules, "cv2", module)
    camera = cameras.open_camera("0")
    colours = Classifier.open(models / "colours.float32.tflite")
    answers = steady.answers(colours, camera, Steady(1, 1, 0.0), fps=5)
    _, outcome = next(answers)
    assert isinstance(outcome, Result)
    assert outcome.best.label == "red"
    with pytest.raises(DeviceError, match="camera 0 gives no picture; check its plug"):
        next(answers)
    camera.close()
    assert len(slept) == 1
    with pytest.raises(DeviceError, match="OpenCV finds nothing at /dev/video5"):
        cameras.V4L2(5)
