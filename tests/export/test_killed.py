"""An export that is killed leaves what was there, whole, or what was to come, whole."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from export import export
from export.variants import select

pytestmark = pytest.mark.slow

MOMENTS = 20

# One process loads TensorFlow; each of its children exports and is killed a little later than the
# one before. The last is left to finish, which shows how long the whole would have taken.
SERVER = """
import os, random, signal, sys, time
from pathlib import Path
import keras, tensorflow
from export import export
from export.variants import select
run, out, moments = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])

def child():
    pid = os.fork()
    if pid == 0:
        export(run, out=out, variants=select(["float32.tflite"]), overwrite=True)
        os._exit(0)
    return pid

started = time.perf_counter()
assert os.waitpid(child(), 0)[1] == 0
whole = time.perf_counter() - started
random.seed(1)
for moment in range(moments):
    pid = child()
    time.sleep(whole * (moment + random.random()) / moments)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    print(moment, flush=True)
    sys.stdin.readline()
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux swaps two folders in one step")
def test_a_kill_at_any_moment_leaves_one_whole_export(trained: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    arguments = [sys.executable, "-c", SERVER, str(trained), str(out), str(MOMENTS)]
    found = []
    with subprocess.Popen(
        arguments,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"},
    ) as server:
        assert server.stdin is not None
        assert server.stdout is not None
        for _ in range(MOMENTS):
            assert server.stdout.readline(), "the exporting process ended early"
            found.append(whole_files(out))
            # The next child meets another export than the one it makes.
            export(trained, out=out, variants=select(["float16.tflite"]), overwrite=True)
            server.stdin.write("next\n")
            server.stdin.flush()
        assert server.wait(timeout=60) == 0
    assert set(map(tuple, found)) <= {("halves.float16.tflite",), ("halves.float32.tflite",)}


def whole_files(out: Path) -> list[str]:
    """The model files of an export whose report, pictures and every digest are there and right."""
    document = json.loads((out / "export.json").read_text())
    listed = {each["file"]: each["sha256"] for each in document["variants"] if each["published"]}
    there = {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in out.glob("halves.*")
    }
    assert there == listed
    assert (out / "evaluation.npz").exists()
    assert (out / "report.html").read_text().endswith("</html>\n")
    return sorted(there)
