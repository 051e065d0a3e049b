"""Many pictures: in batches, in streams, in other threads and processes."""

from __future__ import annotations

import itertools
import multiprocessing
import os
import pickle
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from edge_runtime import Classifier, Failure, ModelSpec, Result
from edge_runtime.errors import DamagedModelError, InputError, ModelError, UsageError
from edge_runtime.spec import ImageInput

Half = Callable[..., NDArray[np.uint8]]

SIDES = ("top", "bottom", "left", "right")
SPEC = ModelSpec(
    name="brightness",
    labels=("dark", "middling", "light"),
    image=ImageInput(2, 2, "gray", (0.0,), (255.0,)),
    scores="probabilities",
)


class Counting:
    """An engine that remembers how many pictures it was given each time."""

    def __init__(self) -> None:
        self.calls: list[int] = []

    def run(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        self.calls.append(len(pixels))
        light = pixels.reshape(len(pixels), -1).mean(axis=1, dtype=np.float32) / 255
        return np.stack([1 - light, np.zeros_like(light), light], axis=1)


def grey(value: int) -> NDArray[np.uint8]:
    return np.full((2, 2), value, np.uint8)


def labels(outcomes: Any) -> list[str]:
    return [outcome.best.label for outcome in outcomes]


# --- batches -----------------------------------------------------------------------------------


def test_a_batch_has_the_results_of_one_at_a_time(model_path: Path, half: Half) -> None:
    opened = Classifier.open(model_path)
    pictures = [half(SIDES[index % 4], 8 + index, 40) for index in range(70)]
    batch = opened.classify_batch(pictures)
    for picture, result in zip(pictures, batch, strict=True):
        alone = opened.classify(picture)
        assert labels([result]) == labels([alone])
        scores = [[found.score for found in each.predictions] for each in (alone, result)]
        assert scores[0] == pytest.approx(scores[1], abs=1e-6)


def test_the_engine_gets_many_at_a_time_but_never_all_of_a_long_list() -> None:
    engine = Counting()
    results = Classifier(SPEC, engine).classify_batch(grey(index) for index in range(70))
    assert engine.calls == [32, 32, 6]
    assert [result.best.label for result in results[:2]] == ["dark", "dark"]
    assert results[69].best.score == pytest.approx(1 - 69 / 255)


def test_an_empty_batch_asks_no_engine() -> None:
    engine = Counting()
    assert Classifier(SPEC, engine).classify_batch([]) == []
    assert engine.calls == []


# --- streams -----------------------------------------------------------------------------------


@pytest.mark.parametrize("workers", [1, 2, None])
def test_a_stream_has_the_results_of_one_at_a_time_in_order(
    model_path: Path, half: Half, encoded: Callable[..., bytes], workers: int | None
) -> None:
    opened = Classifier.open(model_path)
    pictures = [encoded(half(SIDES[index % 4], 30, 20 + index)) for index in range(24)]
    streamed = list(opened.stream(pictures, workers=workers))
    assert all(isinstance(result, Result) for result in streamed)
    expected = [opened.classify(picture).predictions for picture in pictures]
    assert [each.predictions for each in streamed if isinstance(each, Result)] == expected


@pytest.mark.parametrize("workers", [1, 2])
def test_a_picture_that_cannot_be_used_is_a_failure_in_its_place(
    models: Path, half: Half, workers: int
) -> None:
    opened = Classifier.open(models / "halves.int8.tflite")
    sources: list[Any] = [half("top"), "missing.png", half("left"), b"no picture", half("right")]
    first, missing, second, broken, third = opened.stream(sources, workers=workers)
    assert labels([first, second, third]) == ["top", "left", "right"]
    text = "cannot read missing.png: No such file or directory"
    assert missing == Failure("missing.png", "InputError", text)
    assert isinstance(broken, Failure)
    assert (broken.source, broken.code) == (None, "InputError")


@pytest.mark.parametrize("workers", [1, 2])
def test_a_model_that_cannot_answer_ends_the_stream(workers: int) -> None:
    class Broken:
        def run(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
            return np.zeros((len(pixels), 7), np.float32)

    with pytest.raises(ModelError, match="gives 7 scores but has 3 labels"):
        list(Classifier(SPEC, Broken()).stream([grey(1)], workers=workers))


def test_a_stream_takes_pictures_as_it_goes_and_can_be_left() -> None:
    taken = 0

    def endless() -> Iterator[NDArray[np.uint8]]:
        nonlocal taken
        while True:
            taken += 1
            yield grey(taken % 256)

    threads = threading.active_count()
    stream = Classifier(SPEC, Counting()).stream(endless(), workers=2)
    for _ in range(100):
        next(stream)
    stream.close()
    assert taken < 120
    assert threading.active_count() == threads


def test_a_stream_of_a_million_workers_has_no_more_threads_than_a_machine_can_bear() -> None:
    before = threading.active_count()
    stream = Classifier(SPEC, Counting()).stream([grey(1), grey(255)], workers=1_000_000)
    first = next(stream)
    assert threading.active_count() - before <= 65
    assert labels([first, *stream]) == ["dark", "light"]


def test_less_than_one_worker_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match="workers is 0, expected 1 or more"):
        Classifier(SPEC, Counting()).stream([], workers=0)


# --- other processes ---------------------------------------------------------------------------


@pytest.mark.slow
def test_a_classifier_arrives_in_another_process_as_it_was(models: Path, half: Half) -> None:
    opened = Classifier.open(models / "halves.int8.tflite", top_k=1, deny=["top"])
    pictures = [half(side, 20, 20) for side in SIDES]
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=context) as pool:
        found = list(pool.map(opened.classify, pictures))
    expected = [opened.classify(picture).predictions for picture in pictures]
    assert [result.predictions for result in found] == expected


@pytest.mark.slow
def test_a_stream_of_processes_has_the_results_of_one_at_a_time_in_order(
    models: Path, half: Half
) -> None:
    opened = Classifier.open(models / "halves.int8.tflite")
    pictures: list[Any] = [half(SIDES[index % 4], 30, 20 + index % 100) for index in range(200)]
    pictures[77] = b"no picture"
    streamed = list(opened.stream(iter(pictures), workers=2, processes=True))
    one_at_a_time = list(opened.stream(pictures, workers=1))
    assert labels([streamed[76], streamed[78]]) == ["top", "left"]
    assert streamed[77] == one_at_a_time[77]
    for ours, theirs in zip(streamed, one_at_a_time, strict=True):
        assert getattr(ours, "predictions", None) == getattr(theirs, "predictions", None)


@pytest.mark.slow
def test_processes_answer_before_the_next_picture_comes(models: Path, half: Half) -> None:
    opened = Classifier.open(models / "halves.int8.tflite")
    answered = threading.Event()

    def camera() -> Iterator[NDArray[np.uint8]]:
        yield half("left")
        assert answered.wait(60), "the next picture came only after the first was answered"
        yield half("right")

    stream = opened.stream(camera(), workers=2, processes=True)
    first = next(stream)
    answered.set()
    assert labels([first, *stream]) == ["left", "right"]


@pytest.mark.slow
def test_processes_say_why_they_cannot_open_the_model(tmp_path: Path, models: Path) -> None:
    path = tmp_path / "model.tflite"
    shutil.copy(models / "halves.int8.tflite", path)
    opened = Classifier.open(path)
    path.unlink()
    with pytest.raises(ModelError, match="cannot read"):
        list(opened.stream([grey(1)], workers=2, processes=True))


@pytest.mark.slow
def test_what_processes_cannot_do_is_done_here(models: Path, half: Half, tmp_path: Path) -> None:
    opened = Classifier.open(models / "halves.int8.tflite")
    path = tmp_path / "left.png"
    Image.fromarray(half("left")).save(path)
    with path.open("rb") as unsendable:
        pictures: list[Any] = [half("top")] * 40 + [unsendable, half("right")]
        *_, left, right = opened.stream(pictures, workers=2, processes=True)
    assert labels([left, right]) == ["left", "right"]


@pytest.mark.slow
def test_when_a_process_dies_the_stream_goes_on(models: Path, half: Half) -> None:
    opened = Classifier.open(models / "halves.int8.tflite")
    stream = opened.stream(itertools.repeat(half("left")), workers=2, processes=True)
    next(stream)
    for child in multiprocessing.active_children():
        child.kill()
    assert set(labels(itertools.islice(stream, 1000))) == {"left"}
    stream.close()


@pytest.mark.slow
@pytest.mark.timeout(60)
def test_a_stream_of_processes_can_be_left_while_one_is_stuck(
    models: Path, half: Half, tmp_path: Path
) -> None:
    never = tmp_path / "never.png"
    os.mkfifo(never)
    opened = Classifier.open(models / "halves.int8.tflite")
    pictures: list[Any] = [*[half("left")] * 64, str(never), *[half("left")] * 640]
    stream = opened.stream(pictures, workers=2, processes=True)
    next(stream)
    time.sleep(1)  # until one of them has come to it
    stream.close()
    assert not multiprocessing.active_children()


@pytest.mark.slow
@pytest.mark.timeout(60)
def test_processes_end_with_the_one_that_started_them(models: Path) -> None:
    code = (
        "import itertools, multiprocessing, sys; from edge_runtime import Classifier\n"
        "if __name__ == '__main__':\n"
        "    opened = Classifier.open(sys.argv[1])\n"
        "    stream = opened.stream(itertools.repeat(b''), workers=2, processes=True)\n"
        "    next(stream)\n"
        "    children = [child.pid for child in multiprocessing.active_children()]\n"
        "    print(*children, flush=True)\n"
        "    import os, signal; os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(models / "halves.int8.tflite")],
        cwd=models.parent.parent,  # the package can be imported from there
        capture_output=True,
        text=True,
        check=False,
    )
    children = [int(pid) for pid in done.stdout.split()]
    assert children
    while any(Path(f"/proc/{pid}").exists() for pid in children):  # the test has a limit
        time.sleep(0.05)


def test_a_closed_classifier_is_not_sent(models: Path) -> None:
    opened = Classifier.open(models / "halves.int8.tflite")
    opened.close()
    with pytest.raises(UsageError, match="closed; open it again"):
        list(opened.stream([grey(1)], workers=2, processes=True))


def test_processes_need_a_classifier_that_they_can_open() -> None:
    with pytest.raises(pickle.PicklingError, match="open it from a file"):
        list(Classifier(SPEC, Counting()).stream([grey(1)], workers=2, processes=True))


def test_it_is_opened_anew_wherever_the_process_stands(
    models: Path, half: Half, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(models)
    frozen = pickle.dumps(Classifier.open("halves.float32.tflite"))
    monkeypatch.chdir(tmp_path)
    thawed = pickle.loads(frozen)  # noqa: S301  made here
    assert thawed.classify(half("left")).best.label == "left"


def test_a_file_that_changed_meanwhile_is_refused(models: Path, tmp_path: Path) -> None:
    path = tmp_path / "model.tflite"
    shutil.copy(models / "halves.int8.tflite", path)
    frozen = pickle.dumps(Classifier.open(path))
    shutil.copy(models / "halves.float32.tflite", path)
    with pytest.raises(DamagedModelError, match="no longer the file that was opened"):
        pickle.loads(frozen)  # noqa: S301  made here


def test_one_that_no_file_made_cannot_be_sent() -> None:
    with pytest.raises(pickle.PicklingError, match="open it from a file"):
        pickle.dumps(Classifier(SPEC, Counting()))


# --- settings ----------------------------------------------------------------------------------


def test_only_allowed_labels_are_told_and_scores_stay_what_they_are() -> None:
    everything = Classifier(SPEC, Counting()).classify(grey(200))
    some = Classifier(SPEC, Counting(), allow=["dark", "middling"]).classify(grey(200))
    same = Classifier(SPEC, Counting(), deny={"light"}).classify(grey(200))
    assert labels([everything]) == ["light"]
    assert some.predictions == same.predictions == everything.predictions[1:]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"allow": ["lihgt"]}, "'lihgt' is no label of this model; did you mean light?"),
        ({"deny": ["boot"]}, "'boot' is no label .* it knows dark, middling, light"),
        ({"allow": ["dark"], "deny": ["light"]}, "both allow and deny"),
        ({"deny": SPEC.labels}, "no label is left"),
        ({"allow": []}, "no label is left"),
        ({"score_threshold": 1.5}, "score_threshold is 1.5, expected 0 to 1"),
        ({"score_threshold": float("nan")}, "expected 0 to 1"),
    ],
)
def test_settings_that_make_no_sense_are_usage_errors(
    settings: dict[str, Any], message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        Classifier(SPEC, Counting(), **settings)


def test_predictions_reach_the_score_threshold_or_are_left_out() -> None:
    picture = grey(51)  # 0.8 dark, 0.2 light
    at = Classifier(SPEC, Counting(), score_threshold=0.2).classify(picture)
    assert labels([at]) == ["dark"]
    assert [found.label for found in at.predictions] == ["dark", "light"]
    assert not at.unsure
    above = Classifier(SPEC, Counting(), score_threshold=0.81).classify(picture)
    assert above.predictions == ()
    assert above.unsure
    assert above.best.label == "dark", "the best guess is known nevertheless"
    assert above.to_dict()["predictions"] == ()


def test_a_closed_classifier_says_so() -> None:
    with Classifier(SPEC, Counting()) as opened:
        assert opened.classify(grey(200)).best.label == "light"
    with pytest.raises(UsageError, match="closed; open it again"):
        opened.classify(grey(200))
    opened.close()
    with pytest.raises(InputError):
        Classifier(SPEC, Counting()).classify("missing.png")
