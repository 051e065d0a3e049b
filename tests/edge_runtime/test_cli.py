from __future__ import annotations

import csv
import io
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

import edge_runtime
from edge_runtime import golden, modelfile
from edge_runtime.cli import main
from edge_runtime.spec import Decision, ModelSpec

Half = Callable[..., NDArray[np.uint8]]

ROOT = Path(__file__).parents[2]
BUFFERED = os.environ | {"PYTHONUNBUFFERED": ""}  # as for anybody who does not say otherwise


@pytest.fixture
def pictures(tmp_path: Path, half: Half) -> dict[str, str]:
    """Four pictures and a file that is none, by name."""
    places = {}
    for side in ("top", "bottom", "left", "right"):
        places[side] = str(tmp_path / f"{side}.png")
        Image.fromarray(half(side, 20, 20)).save(places[side])
    places["broken"] = str(tmp_path / "broken.png")
    Path(places["broken"]).write_bytes(Path(places["top"]).read_bytes()[:50])
    return places


@pytest.fixture
def model(models: Path) -> str:
    return str(models / "halves.int8.tflite")


@pytest.fixture
def resealed(models: Path, tmp_path: Path) -> Callable[..., str]:
    """A function: changes of the spec, or other golden samples → the path of such a model file."""

    def make(golden_samples: bytes | None = None, **changes: Any) -> str:
        file = modelfile.read(models / "halves.int8.tflite")
        assert file.spec is not None
        flatbuffer = file.data[: file.data.index(b"PK\3\4")]
        spec: ModelSpec = replace(file.spec, **changes)
        path = tmp_path / "changed.tflite"
        path.write_bytes(modelfile.seal_tflite(flatbuffer, spec, golden_samples or file.golden))
        return str(path)

    return make


def run(*arguments: str, **settings: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "edge_runtime", *arguments],
        cwd=ROOT,
        env=BUFFERED,
        capture_output=True,
        text=True,
        check=False,
        **settings,
    )


def one_line(text: str) -> str:
    (line,) = text.splitlines()
    assert line.startswith("edge_runtime: error: ")
    return line


# --- classify ----------------------------------------------------------------------------------


def test_a_picture_is_named_with_per_cents(
    pictures: dict[str, str], model: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["classify", pictures["left"], "--model", model]) == 0
    captured = capsys.readouterr()
    assert captured.err == ""
    source, _, answer = captured.out.strip().rpartition(": ")
    assert source == pictures["left"]
    first, *others = answer.split(", ")
    assert first.startswith("left ")
    assert first.endswith(" %")
    assert len(others) == 2, "three labels unless told otherwise"


def test_every_model_file_can_be_asked(
    model_path: Path, pictures: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["classify", pictures["top"], "--model", str(model_path), "--top-k", "1"]) == 0
    assert capsys.readouterr().out.count(" %") == 1


def test_an_escape_sequence_in_a_name_never_reaches_the_terminal(
    pictures: dict[str, str], model: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    named, missing = tmp_path / "a\x1b[2J.png", tmp_path / "b\x9b2J.png"
    named.write_bytes(Path(pictures["left"]).read_bytes())
    assert main(["classify", str(named), str(missing), "--model", model]) == 1
    captured = capsys.readouterr()
    assert "\\x1b[2J.png: left " in captured.out
    assert "\\x9b2J.png" in captured.err
    assert (captured.out + captured.err).replace("\n", "").isprintable()


def test_an_answer_that_is_not_sure_says_so(
    pictures: dict[str, str], resealed: Callable[..., str], capsys: pytest.CaptureFixture[str]
) -> None:
    unsure = resealed(decision=Decision(temperature=100, threshold=0.9))
    assert main(["classify", pictures["left"], "--model", unsure]) == 0
    assert "not sure (best guess: left " in capsys.readouterr().out


def test_json_is_one_list(
    pictures: dict[str, str], model: str, capsys: pytest.CaptureFixture[str]
) -> None:
    names = [pictures["top"], pictures["right"]]
    assert main(["classify", *names, "--model", model, "--format", "json"]) == 0
    documents = json.loads(capsys.readouterr().out)
    assert [document["source"] for document in documents] == names
    assert [document["predictions"][0]["label"] for document in documents] == ["top", "right"]
    assert all(len(document["predictions"]) == 3 for document in documents)
    assert all(document["model"]["name"] == "halves" for document in documents)


def test_labels_are_written_in_their_own_letters(
    pictures: dict[str, str], resealed: Callable[..., str], capsys: pytest.CaptureFixture[str]
) -> None:
    model = resealed(labels=("haut", "bas", "à gauche", "右"))
    for form in ("text", "json", "jsonl", "csv"):
        main(["classify", pictures["left"], "--model", model, "--format", form])
        assert "à gauche" in capsys.readouterr().out
    main(["info", model])
    assert "haut, bas, à gauche, 右" in capsys.readouterr().out


def test_a_broken_picture_keeps_its_place_and_the_others_are_classified(
    pictures: dict[str, str], model: str, capsys: pytest.CaptureFixture[str]
) -> None:
    names = [pictures["top"], pictures["broken"], "missing.png", pictures["left"]]
    assert main(["classify", *names, "--model", model, "--format", "jsonl"]) == 1
    captured = capsys.readouterr()
    documents = [json.loads(line) for line in captured.out.splitlines()]
    assert [document["source"] for document in documents] == names
    assert documents[0]["predictions"][0]["label"] == "top"
    assert documents[3]["predictions"][0]["label"] == "left"
    assert documents[1]["error"]["code"] == documents[2]["error"]["code"] == "InputError"
    assert "cannot read missing.png" in documents[2]["error"]["message"]
    first, second = captured.err.splitlines()
    assert first.startswith(f"edge_runtime: error: {pictures['broken']}")
    assert second == "edge_runtime: error: cannot read missing.png: No such file or directory"


@pytest.mark.parametrize("form", ["text", "json", "jsonl", "csv"])
def test_in_every_format_a_broken_picture_is_code_1_and_one_line_on_stderr(
    pictures: dict[str, str], model: str, form: str, capsys: pytest.CaptureFixture[str]
) -> None:
    names = [pictures["broken"], pictures["bottom"]]
    assert main(["classify", *names, "--model", model, "--format", form]) == 1
    captured = capsys.readouterr()
    assert "broken.png" in one_line(captured.err)
    assert "bottom" in captured.out


def test_csv_has_a_row_for_each_label(
    pictures: dict[str, str], model: str, capsys: pytest.CaptureFixture[str]
) -> None:
    names = [pictures["top"], pictures["broken"]]
    main(["classify", *names, "--model", model, "--format", "csv", "--top-k", "2"])
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert [row["rank"] for row in rows] == ["1", "2", ""]
    assert rows[0]["label"] == "top"
    assert float(rows[0]["score"]) > float(rows[1]["score"])
    assert rows[0]["unsure"] == "false"
    assert rows[0]["error"] == ""
    assert rows[2]["source"] == pictures["broken"]
    assert "broken.png" in rows[2]["error"]


def test_a_warning_goes_to_stderr_with_the_pictures_name(
    pictures: dict[str, str], resealed: Callable[..., str], capsys: pytest.CaptureFixture[str]
) -> None:
    file = modelfile.read(Path(resealed()))
    assert file.spec is not None
    strict = resealed(image=replace(file.spec.image, polarity="dark-on-light"))
    main(["classify", pictures["top"], "--model", strict])
    captured = capsys.readouterr()
    assert captured.err.startswith(f"edge_runtime: {pictures['top']}: polarity inverted")
    assert "polarity" not in captured.out


# --- a model that cannot be used ---------------------------------------------------------------


def test_a_damaged_model_is_code_3_and_one_line(
    pictures: dict[str, str], model: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = Path(model).read_bytes()
    damaged = tmp_path / "damaged.tflite"
    for bad in (data[:-7], data[:2000] + b"\xff" + data[2001:], b""):
        damaged.write_bytes(bad)
        assert main(["classify", pictures["top"], "--model", str(damaged)]) == 3
        captured = capsys.readouterr()
        assert captured.out == ""
        assert one_line(captured.err).endswith("copy it again")


def test_a_missing_model_is_code_3(
    pictures: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["classify", pictures["top"], "--model", "no.tflite"]) == 3
    assert "cannot read no.tflite: No such file" in one_line(capsys.readouterr().err)


def test_a_wrong_number_of_labels_is_code_3(
    pictures: dict[str, str], resealed: Callable[..., str], capsys: pytest.CaptureFixture[str]
) -> None:
    five = resealed(labels=("top", "bottom", "left", "right", "middle"))
    assert main(["classify", pictures["top"], "--model", five]) == 3
    assert "gives 4 scores but has 5 labels" in one_line(capsys.readouterr().err)


# --- usage -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["classify"],
        ["classify", "a.png", "--top-k", "0"],
        ["classify", "a.png", "--top-k", "two"],
        ["classify", "a.png", "--num-threads", "-1"],
        ["classify", "a.png", "--format", "xml"],
        ["classify", "a.png", "--colour"],
        ["paint", "a.png"],
    ],
)
def test_wrong_usage_is_code_2_and_one_line_that_says_where_help_is(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    (line,) = captured.err.splitlines()
    assert line.startswith("python -m edge_runtime")
    assert line.endswith(" --help")


def test_a_number_that_is_none_is_quoted(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["classify", "a.png", "--top-k", "two"])
    assert "two is not a whole number of 1 or more" in capsys.readouterr().err


def test_too_many_threads_are_code_2(
    pictures: dict[str, str], model: str, capsys: pytest.CaptureFixture[str]
) -> None:
    many = ["classify", pictures["top"], "--model", model, "--num-threads", "1000000"]
    assert main(many) == 2
    assert "expected 1 to 64" in one_line(capsys.readouterr().err)


def test_help_and_version_are_code_0(capsys: pytest.CaptureFixture[str]) -> None:
    for arguments in (["--help"], ["classify", "--help"], ["info", "-h"], ["check", "-h"]):
        with pytest.raises(SystemExit) as caught:
            main(arguments)
        assert caught.value.code == 0
        assert capsys.readouterr().out.startswith("usage: python -m edge_runtime")
    with pytest.raises(SystemExit) as caught:
        main(["--version"])
    assert caught.value.code == 0
    assert capsys.readouterr().out == f"edgeproof {edge_runtime.__version__}\n"


# --- info --------------------------------------------------------------------------------------


def test_info_says_what_a_file_says_of_itself(
    sealed_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["info", str(sealed_path)]) == 0
    told = capsys.readouterr().out
    name, precision, form = sealed_path.name.split(".")
    for words in (
        f"{name}, version 1",
        "top, bottom, left, right" if name == "halves" else "red, green, blue",
        "8 x 8 grey" if name == "halves" else "8 x 8 RGB",
        f"{precision}.{form}",
        "inside, and holds",
    ):
        assert words in told


def test_info_as_json_holds_the_whole_spec(
    sealed_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["info", str(sealed_path), "--format", "json"]) == 0
    document = json.loads(capsys.readouterr().out)
    file = modelfile.read(sealed_path)
    assert ModelSpec.from_json(json.dumps(document.pop("spec"))) == file.spec
    assert document == {
        "file": sealed_path.name,
        "format": file.format,
        "size_bytes": sealed_path.stat().st_size,
        "sha256": file.sha256,
        "sealed": True,
    }


def test_info_of_a_model_made_elsewhere_says_what_it_shows_and_what_is_missing(
    models: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = models / "foreign" / "rows.tflite"
    assert main(["info", str(path)]) == 0
    printed = capsys.readouterr().out
    assert "none inside: made elsewhere" in printed
    assert "(? x 8 x 8 float32)" in printed
    assert "come from a linear operation" in printed
    assert "add --labels FILE" in printed
    assert main(["info", str(path), "--format", "json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["spec"] is None
    assert document["graph"]["outputs"][0]["shape"] == [None, 4]
    named = tmp_path / "labels\x1b[2J.tflite"
    named.write_bytes(path.read_bytes())
    main(["info", str(named)])
    assert "\x1b" not in capsys.readouterr().out


def test_info_loads_neither_numpy_nor_an_engine() -> None:
    code = (
        "import sys; from edge_runtime.cli import main; main(['info'])\n"
        "print([name for name in ('numpy', 'PIL', 'ai_edge_litert') if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.stdout.splitlines()[-1] == "[]", done.stderr


def test_a_model_made_elsewhere_is_classified_with_by_flags(
    models: Path, pictures: dict[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    labels = tmp_path / "labels.txt"
    labels.write_text("0 top\n1 bottom\n2 left\n3 right\n")
    model = str(models / "foreign" / "rows.tflite")
    command = ["classify", pictures["left"], "--model", model, "--labels", str(labels), "--trust"]
    assert main(command) == 2
    assert "add --input-range 0..1|-1..1|0..255, or --mean and --std" in (
        one_line(capsys.readouterr().err)
    )
    assert main([*command, "--mean", "0", "--std", "255"]) == 0
    captured = capsys.readouterr()
    assert ": left " in captured.out
    (told,) = captured.err.splitlines()
    assert told.startswith(f"edge_runtime: taken for granted: labels from {labels}; ")


def test_info_of_a_damaged_file_is_code_3(
    model: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    short = tmp_path / "short.tflite"
    short.write_bytes(Path(model).read_bytes()[:-100])
    assert main(["info", str(short)]) == 3
    assert one_line(capsys.readouterr().err).endswith("copy it again")


# --- check -------------------------------------------------------------------------------------


def test_check_replays_the_golden_samples(
    model_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["check", str(model_path)]) == 0
    captured = capsys.readouterr()
    assert captured.out.startswith(f"{model_path.name}: 16/16 agree, largest score difference ")
    assert captured.err == ""


def test_check_fails_where_the_answers_differ(
    resealed: Callable[..., str], capsys: pytest.CaptureFixture[str]
) -> None:
    images = np.zeros((3, 8, 8, 1), np.uint8)
    other = golden.pack(images, np.eye(4, dtype=np.float32)[:3])
    assert main(["check", resealed(other)]) == 1
    assert capsys.readouterr().out.rstrip().endswith("FAILED")


def test_check_goes_on_after_a_file_that_cannot_be_used(
    model: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    damaged = tmp_path / "damaged.tflite"
    damaged.write_bytes(Path(model).read_bytes()[:-1])
    assert main(["check", str(damaged), model]) == 3
    captured = capsys.readouterr()
    assert "copy it again" in one_line(captured.err)
    assert "16/16 agree" in captured.out


# --- as a process ------------------------------------------------------------------------------


def test_help_loads_neither_numpy_nor_pillow_nor_an_engine() -> None:
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "edge_runtime", "--help"],
        cwd=ROOT,
        env=BUFFERED,
        capture_output=True,
        text=True,
        check=True,
    )
    loaded = {line.rsplit("|", 1)[1].strip() for line in done.stderr.splitlines() if "|" in line}
    assert "edge_runtime.cli" in loaded
    heavy = {"numpy", "PIL", "ai_edge_litert", "tflite_runtime", "onnxruntime", "tensorflow"}
    assert not heavy & loaded


def test_info_needs_neither_numpy_nor_pillow(model: str) -> None:
    code = (
        "import sys; sys.modules.update(numpy=None, PIL=None)\n"
        f"from edge_runtime.cli import main; sys.exit(main(['info', {model!r}]))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr


def test_results_go_through_a_pipe_that_closes_early(pictures: dict[str, str], model: str) -> None:
    command = (
        '"$1" -m edge_runtime classify --model "$2" "${@:3}" | head -1; echo "${PIPESTATUS[0]}"'
    )
    done = subprocess.run(
        ["bash", "-c", command, "bash", sys.executable, model, *[pictures["top"]] * 300],
        cwd=ROOT,
        env=BUFFERED,
        capture_output=True,
        text=True,
        check=False,
    )
    first, code = done.stdout.splitlines()
    assert first.startswith(pictures["top"])
    assert (code, done.stderr) == ("0", "")


@pytest.fixture
def started(model: str) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """A function: pictures → the process that classifies them; it ends with the test at the latest."""
    processes = []

    def start(*pictures: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-m", "edge_runtime", "classify", "--model", model, *pictures],
            cwd=ROOT,
            env=BUFFERED,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        processes.append(process)
        return process

    yield start
    for process in processes:
        process.kill()
        process.communicate()


@pytest.mark.timeout(60)
def test_each_result_is_printed_as_soon_as_it_is_known(
    pictures: dict[str, str], started: Callable[..., subprocess.Popen[str]], tmp_path: Path
) -> None:
    slow = tmp_path / "slow.png"
    os.mkfifo(slow)
    process = started(pictures["top"], str(slow))
    assert process.stdout is not None
    assert process.stdout.readline().startswith(pictures["top"])
    slow.write_bytes(Path(pictures["left"]).read_bytes())
    assert process.stdout.readline().startswith(f"{slow}: left")
    assert process.wait() == 0


@pytest.mark.timeout(60)
def test_control_c_is_130_and_one_line(
    pictures: dict[str, str], started: Callable[..., subprocess.Popen[str]], tmp_path: Path
) -> None:
    never = tmp_path / "never.png"
    os.mkfifo(never)
    process = started(pictures["top"], str(never))
    assert process.stdout is not None
    process.stdout.readline()  # it is at work now
    writing = os.open(never, os.O_WRONLY)  # and here it waits for the second picture
    time.sleep(0.3)  # a signal between opening and reading would only be noticed after it
    process.send_signal(signal.SIGINT)
    _, told = process.communicate()
    os.close(writing)
    assert process.returncode == 130
    assert told == "edge_runtime: interrupted\n"


def is_running(group: int) -> bool:
    """Whether anything that a command started is still there."""
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_control_c_in_a_long_list_ends_its_processes_and_is_one_line(
    pictures: dict[str, str], model: str
) -> None:
    listed = "\n".join([pictures["top"], pictures["left"]] * 20_000)
    with subprocess.Popen(
        [sys.executable, "-m", "edge_runtime", "classify", "--files-from", "-", "--model", model],
        cwd=ROOT,
        env=BUFFERED,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,  # as a shell does: Ctrl-C is sent to all that a command started
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(listed)
        process.stdin.close()
        assert process.stdout.readline().startswith(pictures["top"])
        os.killpg(process.pid, signal.SIGINT)
        assert len(process.stdout.read().splitlines()) < 40_000
        assert process.stderr is not None
        assert process.stderr.read() == "edge_runtime: interrupted\n"
    assert process.returncode == 130
    while is_running(process.pid):  # at the latest, the test's own limit ends this
        time.sleep(0.05)


def test_a_picture_whose_name_is_no_text_is_classified(
    pictures: dict[str, str], model: str, tmp_path: Path
) -> None:
    odd = os.fsencode(tmp_path) + b"/caf\xe9.png"
    Path(os.fsdecode(odd)).write_bytes(Path(pictures["left"]).read_bytes())
    for form in ("text", "json"):
        done = run("classify", os.fsdecode(odd), "--model", model, "--format", form)
        assert (done.returncode, done.stderr) == (0, "")
        assert "caf\\udce9.png" in done.stdout
        if form == "json":
            assert json.loads(done.stdout)[0]["source"] == os.fsdecode(odd)


def test_a_name_with_a_line_break_still_gives_one_line(model: str) -> None:
    done = run("classify", "two\nlines.png", "--model", model)
    assert done.returncode == 1
    assert "cannot read two lines.png" in one_line(done.stderr)


def test_odd_exif_prints_no_warnings_of_pillow(
    model: str, half: Half, encoded: Callable[..., bytes], tmp_path: Path
) -> None:
    note = Image.Exif()
    note[0x010F] = "a maker with a long enough name"
    data = encoded(half("left", 20, 20), "JPEG", exif=note)
    photo = tmp_path / "photo.jpg"
    photo.write_bytes(
        data.replace(b"\x01\x0f\x00\x02\x00\x00\x00\x20", b"\x01\x0f\x00\x02\x00\x00\x0f\xff")
    )
    assert photo.read_bytes() != data
    done = run("classify", str(photo), "--model", model)
    assert (done.returncode, done.stderr) == (0, "")
    assert f"{photo}: left" in done.stdout


def test_verbose_shows_what_the_engine_prints(pictures: dict[str, str], models: Path) -> None:
    model = str(models / "halves.float32.tflite")
    quiet = run("classify", pictures["top"], "--model", model)
    loud = run("classify", "--verbose", pictures["top"], "--model", model)
    assert (quiet.returncode, loud.returncode) == (0, 0)
    assert quiet.stderr == ""
    assert "XNNPACK" in loud.stderr
    assert loud.stdout == quiet.stdout
