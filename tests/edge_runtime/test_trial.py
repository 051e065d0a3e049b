"""Files without a digest are tried in a process of their own. Real engines, and packages that fail."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from time import monotonic

import numpy as np
import pytest

from edge_runtime import Classifier, engines, modelfile
from edge_runtime.description import Description
from edge_runtime.engines import ENGINES
from edge_runtime.errors import EngineError, ModelError

ROOT = Path(__file__).parents[2]
HALVES = Description(labels=("top", "bottom", "left", "right"), input_range="0..1")

Engine = Callable[[str], None]

SLOW = partial(pytest.param, marks=pytest.mark.slow)  # a process each


@pytest.fixture
def engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Engine:
    """A function: what an engine does with a model → such an engine comes first in child processes."""
    here, _ = engines.start("tflite")  # this process keeps the real one
    package = tmp_path / "packages" / ENGINES[here].module.partition(".")[0]
    monkeypatch.syspath_prepend(package.parent)

    def make(body: str) -> None:
        package.mkdir(parents=True)
        (package / "__init__.py").touch()
        code = "import ctypes, os, time\nclass Interpreter:\n    def __init__(self, **_):\n        "
        (package / "interpreter.py").write_text(code + body)

    return make


@pytest.fixture
def foreign(models: Path) -> Path:
    return models / "foreign" / "rows.tflite"


def test_a_good_model_is_tried_and_opened(foreign: Path) -> None:
    classifier = Classifier.open(foreign, description=HALVES)
    picture = np.zeros((8, 8), np.uint8)
    picture[:, :4] = 200
    assert classifier.classify(picture).best.label == "left"


@pytest.mark.parametrize(
    ("body", "complaint"),
    [
        ("ctypes.string_at(0)", r"tried, and the engine died of SIGSEGV: the file is damaged, or"),
        SLOW("os.abort()", r"died of SIGABRT"),
        SLOW("os._exit(7)", r"tried, and failed: exit code 7; copy it again"),
        SLOW("os._exit(0)", r"its engine ended early"),
        SLOW("raise ZeroDivisionError('what')", r"tried, and failed: ZeroDivisionError: what"),
        (
            "raise ValueError('no such op')",
            r"(ai-edge-litert|tflite-runtime) cannot load the model: no such op",
        ),
    ],
)
def test_whatever_an_engine_does_is_a_sentence(
    body: str, complaint: str, engine: Engine, foreign: Path
) -> None:
    engine(body)
    with pytest.raises(ModelError, match=complaint) as raised:
        Classifier.open(foreign, description=HALVES)
    assert str(foreign) in str(raised.value)
    assert "\n" not in str(raised.value)


@pytest.mark.slow
def test_an_engine_that_hangs_is_ended_within_ten_seconds(engine: Engine, foreign: Path) -> None:
    started = monotonic()
    Classifier.open(foreign, description=HALVES)
    start_s = monotonic() - started  # of a process, which takes a busy machine what it takes
    engine("time.sleep(600)")
    started = monotonic()
    with pytest.raises(ModelError, match=r"did not come to an end within 9 s; .* add --trust"):
        Classifier.open(foreign, description=HALVES)
    assert monotonic() - started <= 10 + start_s


def test_a_file_whose_digest_holds_needs_no_trial(engine: Engine, models: Path) -> None:
    engine("os.abort()")
    assert Classifier.open(models / "halves.int8.tflite").spec.name == "halves"


def test_a_trusted_file_needs_no_trial(engine: Engine, foreign: Path) -> None:
    engine("os.abort()")
    assert Classifier.open(foreign, description=HALVES, trusted=True).spec.name == "rows"


@pytest.mark.slow
def test_a_file_with_a_spec_and_without_a_digest_is_tried(
    engine: Engine, models: Path, tmp_path: Path
) -> None:
    """As after another tool has packed the archive anew."""
    path = tmp_path / "unsealed.tflite"
    data = (models / "halves.int8.tflite").read_bytes()
    data = data.replace(modelfile.SEAL_MARK.encode(), b"made-by-someone-els")
    path.write_bytes(
        data[: -len(modelfile._ZIP_SEAL) - 64] + b" " * (len(modelfile._ZIP_SEAL) + 64)
    )
    assert Classifier.open(path).spec.name == "halves"
    engine("os.abort()")
    with pytest.raises(ModelError, match="died of SIGABRT"):
        Classifier.open(path)


@pytest.mark.slow
def test_what_the_child_lacks_is_said_as_here(engine: Engine, foreign: Path) -> None:
    engine("broken\nwhatever this is, it is no Python")
    here, _ = engines.start("tflite")
    with pytest.raises(EngineError, match=r"does not start here \(SyntaxError: .*; run `pip"):
        Classifier.open(foreign, description=HALVES, backend=here)


@pytest.mark.slow
def test_scores_that_are_no_numbers_are_refused(engine: Engine, foreign: Path) -> None:
    engine(
        "pass\n"
        "    def allocate_tensors(self): pass\n"
        "    def get_input_details(self):\n"
        "        import numpy as n\n"
        "        one = n.array([1, 8, 8])\n"
        "        return [dict(index=0, name='x', shape=one, shape_signature=one, dtype=n.float32)]\n"
        "    def get_output_details(self):\n"
        "        import numpy as n\n"
        "        return [dict(index=1, name='y', shape=n.array([1, 4]), dtype=n.float32)]\n"
        "    def set_tensor(self, *_): pass\n"
        "    def invoke(self): pass\n"
        "    def get_tensor(self, _):\n"
        "        import numpy as n\n"
        "        return n.full((1, 4), n.nan, n.float32)\n"
    )
    with pytest.raises(ModelError, match="gives scores that are no numbers; copy it again"):
        Classifier.open(foreign, description=HALVES)


@pytest.mark.slow
def test_what_an_engine_prints_is_shown_when_asked_for(foreign: Path, tmp_path: Path) -> None:
    picture = tmp_path / "none.png"
    flags = ["--labels", str(tmp_path / "labels.txt"), "--input-range", "0..1"]
    (tmp_path / "labels.txt").write_text("a\nb\nc\nd\n")
    command = [sys.executable, "-m", "edge_runtime", "classify", str(picture), *flags]
    command += ["--model", str(foreign)]
    quiet, loud = (
        subprocess.run(
            [*command, *more], cwd=ROOT, capture_output=True, text=True, check=False
        ).stderr.splitlines()
        for more in ([], ["--verbose"])
    )
    assert len(quiet) == 2, "what was taken for granted, and the picture that is not there"
    assert quiet[0].startswith("edge_runtime: taken for granted: labels from ")
    assert len(loud) > 2
