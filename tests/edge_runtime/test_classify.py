"""`classify` and `preview` as a person types them: where pictures come from, what is shown."""

from __future__ import annotations

import csv
import io
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from edge_runtime import sources
from edge_runtime.cli import main
from edge_runtime.sources import steady, watch

Half = Callable[..., NDArray[np.uint8]]
Run = Callable[..., tuple[int, list[str], list[str]]]

ROOT = Path(__file__).parents[2]


@pytest.fixture
def folder(tmp_path: Path, half: Half, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory; in it `in/` with left.png, top.png and below/right.png."""
    (tmp_path / "in" / "below").mkdir(parents=True)
    for name in ("left", "top", "below/right"):
        Image.fromarray(half(Path(name).name, 20, 20)).save(tmp_path / "in" / f"{name}.png")
    monkeypatch.chdir(tmp_path)
    for module in (watch, steady):
        monkeypatch.setattr(module, "sleep", lambda _: None)
    return tmp_path


@pytest.fixture
def run(models: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    """A function: arguments of `classify` → (exit code, lines on stdout, lines on stderr)."""

    def classify(*arguments: str) -> tuple[int, list[str], list[str]]:
        model = ["--model", str(models / "halves.int8.tflite"), "--top-k", "1"]
        code = main(["classify", *model, *arguments])
        captured = capsys.readouterr()
        return code, captured.out.splitlines(), captured.err.splitlines()

    return classify


def labels(lines: list[str]) -> list[str]:
    return [line.split(": ")[1].split()[0] for line in lines]


@pytest.fixture
def piped(monkeypatch: pytest.MonkeyPatch) -> Callable[[bytes], None]:
    def pipe(data: bytes) -> None:
        stdin = SimpleNamespace(buffer=io.BytesIO(data), isatty=lambda: False)
        monkeypatch.setattr("sys.stdin", stdin)

    return pipe


# --- sources -----------------------------------------------------------------------------------


@pytest.mark.usefixtures("folder")
def test_a_folder_a_pattern_and_a_file_are_classified_in_their_order(run: Run) -> None:
    code, out, err = run("in", "in/t*.png", "in/left.png")
    assert (code, err) == (0, [])
    names = ["in/below/right.png", "in/left.png", "in/top.png", "in/top.png", "in/left.png"]
    assert [line.split(":")[0] for line in out] == names
    assert labels(out) == ["right", "left", "top", "top", "left"]


def test_a_picture_on_standard_input_is_classified(
    folder: Path, run: Run, piped: Callable[[bytes], None]
) -> None:
    piped((folder / "in/top.png").read_bytes())
    code, out, err = run("-")
    assert (code, err) == (0, [])
    assert out[0].startswith("-: top ")
    piped(b"no picture")
    code, out, err = run("-", "--format", "jsonl")
    assert (code, json.loads(out[0])["source"]) == (1, "-")
    assert err[0].startswith("edge_runtime: error: - is not a picture")


def test_a_list_file_names_more(folder: Path, run: Run) -> None:
    (folder / "list.txt").write_text("in/top.png\nmissing.png\nin/below\n")
    code, out, err = run("in/left.png", "--files-from", "list.txt")
    assert code == 1
    assert labels(out) == ["left", "top", "right"]
    assert err == ["edge_runtime: error: cannot read missing.png: No such file or directory"]


@pytest.mark.usefixtures("folder")
def test_a_pattern_without_match_is_code_1_and_the_others_go_on(run: Run) -> None:
    code, out, err = run("*.gif", "in/top.png", "--format", "json")
    assert code == 1
    first, second = json.loads("\n".join(out))
    assert first["error"]["message"] == "*.gif matches no file"
    assert second["predictions"][0]["label"] == "top"
    assert err == ["edge_runtime: error: *.gif matches no file"]


@pytest.mark.parametrize(
    "arguments",
    [
        ["a.png", "--watch", "in"],
        ["--watch", "in", "--camera", "0"],
        ["--files-from", "list", "--camera", "0"],
        ["a.png", "--once"],
        ["a.png", "--state", "file"],
        ["a.png", "--fps", "5"],
        ["--watch", "in", "--steady", "2/3"],
        ["--watch", "in", "--format", "json"],
        ["--camera", "0", "--format", "json"],
        ["--camera", "0", "--fps", "0"],
        ["--camera", "0", "--fps", "fast"],
        ["--camera", "0", "--steady", "three"],
        ["a.png", "--allow", "top", "--deny", "left"],
        ["a.png", "--score-threshold", "high"],
    ],
)
@pytest.mark.usefixtures("folder")
def test_what_does_not_go_together_is_code_2(arguments: list[str], run: Run) -> None:
    with pytest.raises(SystemExit) as caught:
        run(*arguments)
    assert caught.value.code == 2


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["in", "--allow", "lfet"], "'lfet' is no label of this model; did you mean left?"),
        (["in", "--score-threshold", "90"], "score_threshold is 90.0, expected 0 to 1"),
        (["--files-from", "no.txt"], "cannot read no.txt"),
        (["--watch", "no"], "no is no folder; make it first"),
        (["--watch", "in", "--save-annotated", "in/out"], "would be classified as well"),
        (["--watch", "in", "--state", "no/such/file"], "cannot keep in no/such/file"),
        (["--camera", "in", "--steady", "2/5"], "more than half"),
        (["in", "--save-annotated", "in/top.png"], "cannot make in/top.png"),
    ],
)
def test_a_request_that_cannot_be_met_is_code_2_and_one_line(
    arguments: list[str], words: str, run: Run
) -> None:
    code, out, err = run(*arguments)
    assert (code, out) == (2, [])
    (line,) = err
    assert words in line


# --- answers -----------------------------------------------------------------------------------


@pytest.mark.usefixtures("folder")
def test_labels_can_be_allowed_and_denied(run: Run) -> None:
    assert labels(run("in/top.png", "--allow", "left", "--allow", "right")[1])[0] in (
        "left",
        "right",
    )
    _, (line,), _ = run("in/top.png", "--deny", "top", "--top-k", "9")
    assert len(line.split(", ")) == 3
    assert "top " not in line.split(": ")[1]


@pytest.mark.usefixtures("folder")
def test_below_the_score_threshold_it_is_a_best_guess_and_keeps_its_place(run: Run) -> None:
    strict = ["in/top.png", "--score-threshold", "1"]
    code, (line,), err = run(*strict)
    assert (code, err) == (0, [])
    assert line.startswith("in/top.png: not sure (best guess: top ")
    document = json.loads(run(*strict, "--format", "jsonl")[1][0])
    assert (document["predictions"], document["unsure"]) == ([], True)
    (row,) = csv.DictReader(run(*strict, "--format", "csv")[1])
    guess = (row["source"], row["rank"], row["label"], row["unsure"])
    assert guess == ("in/top.png", "", "top", "true")


@pytest.mark.usefixtures("folder")
def test_a_list_of_nothing_but_failures_is_still_json(run: Run) -> None:
    _, out, _ = run("*.gif", "--format", "json")
    assert len(json.loads("\n".join(out))) == 1


def test_annotated_copies_are_saved_beside_nothing_else(folder: Path, run: Run) -> None:
    code, out, err = run("in", "in/top.png", "missing.png", "--save-annotated", "out")
    assert (code, len(out), len(err)) == (1, 4, 1)
    saved = sorted(path.name for path in (folder / "out").iterdir())
    assert saved == ["left.jpg", "right.jpg", "top-2.jpg", "top.jpg"]


# --- a watched folder --------------------------------------------------------------------------


def test_a_watched_folder_is_done_once_over_restarts(folder: Path, run: Run) -> None:
    code, out, err = run("--watch", "in", "--once", "--format", "json")
    assert (code, err) == (0, [])
    assert len(json.loads("\n".join(out))) == 3
    (folder / "in/new.png").write_bytes((folder / "in/top.png").read_bytes())
    code, out, err = run("--watch", "in", "--once")
    assert (code, labels(out)) == (0, ["top"])
    (line,) = err
    assert line.startswith("edge_runtime: 3 pictures were done before (in/.edge_runtime-")
    assert len(run("--watch", "in", "--once", "--state", "mine")[1]) == 4, "another memory"
    assert (folder / "mine").exists()


def test_another_model_begins_anew(folder: Path, run: Run, models: Path) -> None:
    run("--watch", "in", "--once")
    other = str(models / "halves.float32.tflite")
    code, out, err = run("--watch", "in", "--once", "--model", other)
    assert (code, len(out), err) == (0, 3, [])
    assert len(list((folder / "in").glob(".edge_runtime-*"))) == 2


def test_a_broken_picture_that_arrived_is_code_1_and_not_told_again(folder: Path, run: Run) -> None:
    (folder / "in/broken.png").write_bytes(b"broken")
    code, out, err = run("--watch", "in", "--once")
    assert (code, len(out), len(err)) == (1, 3, 1)
    assert run("--watch", "in", "--once")[:2] == (0, [])


# --- a camera ----------------------------------------------------------------------------------


@pytest.mark.usefixtures("folder")
def test_a_replayed_folder_prints_only_changes_with_their_time(run: Run) -> None:
    many = ["--camera", "in", "--steady", "1/1", "--fps", "1000"]
    code, out, err = run(*many)
    assert (code, err) == (0, [])
    times, places = zip(*(line.split(" ", 1) for line in out), strict=True)
    assert labels(list(places)) == ["right", "left", "top"]
    assert all(len(time) == len("2026-11-25T01:11:28") for time in times)
    rows = list(csv.DictReader(run(*many, "--format", "csv")[1]))
    assert all(row["time"].startswith("20") for row in rows)
    assert run("--camera", "in", "--fps", "1000")[1] == [], "no three of five agree"


@pytest.mark.usefixtures("folder")
def test_no_camera_is_code_4_and_one_line(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cv2", None)  # type: ignore[arg-type]
    monkeypatch.setenv("PATH", "")
    for which in ("0", "rpicam"):
        code, out, err = run("--camera", which)
        assert (code, out, len(err)) == (4, [], 1)


# --- interrupted -------------------------------------------------------------------------------


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("form", ["text", "json", "jsonl", "csv"])
def test_control_c_keeps_what_was_done_and_a_list_whole(
    run: Run, monkeypatch: pytest.MonkeyPatch, form: str
) -> None:
    everything = sources.answers

    def interrupted(*arguments: Any) -> Iterator[Any]:
        yield next(everything(*arguments))
        raise KeyboardInterrupt

    monkeypatch.setattr(sources, "answers", interrupted)
    code, out, err = run("in/top.png", "in/left.png", "--format", form)
    assert (code, err) == (130, ["edge_runtime: interrupted"])
    assert "in/top.png" in "".join(out)
    assert "in/left.png" not in "".join(out)
    if form == "json":
        assert len(json.loads("\n".join(out))) == 1


@pytest.mark.slow
@pytest.mark.timeout(60)
def test_a_watched_folder_goes_on_until_it_is_interrupted(folder: Path, models: Path) -> None:
    model = str(models / "halves.int8.tflite")
    command = [sys.executable, "-m", "edge_runtime", "classify", "--model", model]
    with subprocess.Popen(
        [*command, "--watch", str(folder / "in"), "--format", "jsonl"],
        cwd=ROOT,
        env=os.environ | {"PYTHONUNBUFFERED": ""},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as running:
        assert running.stdout is not None
        assert running.stderr is not None
        for _ in range(3):
            assert "predictions" in json.loads(running.stdout.readline())
        (folder / "in/new.png").write_bytes((folder / "in/top.png").read_bytes())
        assert json.loads(running.stdout.readline())["source"].endswith("/new.png")
        running.send_signal(signal.SIGINT)
        assert (running.stdout.read(), running.stderr.read()) == (
            "",
            "edge_runtime: interrupted\n",
        )
    assert running.returncode == 130


# --- preview -----------------------------------------------------------------------------------


def preview(models: Path, *arguments: str) -> int:
    return main(["preview", "--model", str(models / "halves.int8.tflite"), *arguments])


@pytest.mark.usefixtures("folder")
def test_preview_draws_what_the_model_sees_without_a_terminal(
    models: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert preview(models, "in/left.png") == 0
    *rows, size = capsys.readouterr().out.splitlines()
    assert size == "8 x 8 grey pixels"
    assert len(rows) == 4
    assert {row[0] for row in rows} == {"█"}
    assert {row[-1] for row in rows} == {" "}


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    ("settings", "coloured"),
    [({}, True), ({"NO_COLOR": "1"}, False), ({"NO_COLOR": ""}, True), ({"TERM": "dumb"}, False)],
)
def test_preview_is_in_colour_on_a_terminal_unless_unwanted(
    models: Path, monkeypatch: pytest.MonkeyPatch, settings: dict[str, str], coloured: bool
) -> None:
    class Terminal(io.StringIO):
        encoding = "utf-8"

        def isatty(self) -> bool:
            return True

    terminal = Terminal()
    monkeypatch.setattr("sys.stdout", terminal)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    assert preview(models, "in/left.png") == 0
    assert ("\x1b[" in terminal.getvalue()) is coloured


def test_preview_saves_the_very_pixels(
    folder: Path, models: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert preview(models, "in/left.png", "--png", "seen.png", "--scale", "3") == 0
    large = np.asarray(Image.open(folder / "seen.png"))
    assert large.shape == (24, 24)
    assert preview(models, "in/left.png", "--png", "seen.png") == 2
    assert "seen.png exists already" in capsys.readouterr().err
    assert preview(models, "in/left.png", "--png", "seen.png", "--overwrite") == 0
    assert np.array_equal(np.asarray(Image.open(folder / "seen.png")), large[::3, ::3])


@pytest.mark.parametrize("flags", [["--overwrite"], ["--scale", "3"]])
def test_preview_takes_no_flag_about_a_file_without_one(
    flags: list[str], models: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert preview(models, "a.png", *flags) == 2
    assert "are for a file; name it with --png" in capsys.readouterr().err


@pytest.mark.usefixtures("folder")
def test_preview_takes_no_flag_about_what_the_file_says_itself(
    models: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert preview(models, "in/left.png", "--fit", "crop") == 2
    assert "halves.int8.tflite says this itself; leave out --fit" in capsys.readouterr().err


def test_preview_takes_no_flag_about_scores_which_it_does_not_show(
    models: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match="2"):
        preview(models, "a.png", "--scores", "logits")
    assert "unrecognized arguments: --scores logits" in capsys.readouterr().err


def test_preview_reads_standard_input_and_says_what_is_wrong_with_it(
    folder: Path, models: Path, piped: Callable[[bytes], None], capsys: pytest.CaptureFixture[str]
) -> None:
    piped((folder / "in/left.png").read_bytes())
    assert preview(models, "-") == 0
    piped(b"")
    assert preview(models, "-") == 1
    assert preview(models, "missing.png") == 1
    told: Any = capsys.readouterr().err.splitlines()
    assert [line.split("error: ")[1].split(":")[0] for line in told] == [
        "standard input is empty",
        "cannot read missing.png",
    ]
