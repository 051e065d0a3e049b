"""The README, command by command, in a copy of the checkout, as a newcomer would."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200)]

ROOT = Path(__file__).parents[2]
COMMANDS = [
    line
    for block in re.findall(
        r"^```sh\n(.*?)^```", (ROOT / "README.md").read_text(), re.DOTALL | re.MULTILINE
    )
    for line in block.splitlines()
]
# Those that make or need an environment of their own; each has a test below.
DEMO, TEST = "make demo", "make test"
DEVICE = ["pip install '.[litert]'", "python -m edge_runtime classify docs/pictures/*.png"]
WORKSTATION = "python -m pip install -c constraints.txt '.[all]'"
STORY = [line for line in COMMANDS if line not in (DEMO, TEST, *DEVICE, WORKSTATION)]
VARIANTS = ("float32", "float16", "dynamic", "int8")


def run(command: str, folder: Path, binaries: Path = Path(sys.executable).parent) -> str:
    environment = dict(os.environ, PATH=f"{binaries}{os.pathsep}{os.environ['PATH']}")
    done = subprocess.run(
        ["bash", "-c", command],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def copy_of_the_checkout(folder: Path) -> Path:
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    for name in filter(None, listed.stdout.split("\0")):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)
    return folder


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return copy_of_the_checkout(tmp_path_factory.mktemp("checkout"))


@pytest.fixture(scope="module")
def story(checkout: Path) -> dict[str, str]:
    """What each command of the step-by-step story printed."""
    return {command: run(command, checkout) for command in STORY}


def test_the_readme_still_holds_the_commands_that_have_tests_of_their_own() -> None:
    assert {DEMO, TEST, *DEVICE, WORKSTATION} <= set(COMMANDS)


def test_the_tutorials_model_reaches_the_tutorials_accuracy(
    story: dict[str, str], checkout: Path
) -> None:
    assert story
    figures = json.loads((checkout / "runs/mlp/train.json").read_text())
    assert figures["test_accuracy"] >= 0.88  # the tutorial reports 0.886


def test_every_variant_agrees_with_the_original(story: dict[str, str], checkout: Path) -> None:
    assert story
    files = {path.name for path in (checkout / "exported/mlp").glob("fashion-mnist.*")}
    assert files == {f"fashion-mnist.{name}.tflite" for name in VARIANTS} | {
        "fashion-mnist.float32.onnx",
        "fashion-mnist.int8.onnx",
    }
    for path in sorted(checkout.glob("exported/mlp/fashion-mnist.*")):
        parity = json.loads(run(f"python -m edge_runtime info {path} --format json", checkout))[
            "spec"
        ]["variant"]["parity"]
        assert parity["images"] == 10_000
        assert parity["agreement"] >= (0.9999 if ".float32." in path.name else 0.99)
        assert parity["accuracy_difference_points"] >= -0.5


def test_the_pictures_are_named_as_they_look(story: dict[str, str]) -> None:
    printed = next(out for line, out in story.items() if "classify" in line)
    for name in ("ankle-boot.png: Ankle boot", "trouser.png: Trouser", "bag.png: Bag"):
        assert name in printed


def test_the_benchmark_covers_all_six_files(story: dict[str, str], checkout: Path) -> None:
    assert story
    report = (checkout / "report.md").read_text()
    for variant in ("float32.tflite", "int8.tflite", "int8.onnx"):
        assert variant in report


def test_the_python_example_runs(story: dict[str, str], checkout: Path) -> None:
    assert story
    (example,) = re.findall(
        r"^```python\n(.*?)^```", (ROOT / "README.md").read_text(), re.DOTALL | re.MULTILINE
    )
    (checkout / "example.py").write_text(example)
    assert run("python example.py", checkout).startswith("Ankle boot")


def test_a_bare_environment_gets_one_engine_and_classifies(tmp_path: Path) -> None:
    copy_of_the_checkout(tmp_path)
    run("python -m venv bare", tmp_path)
    binaries = tmp_path / "bare/bin"
    run("pip install --quiet --disable-pip-version-check .", tmp_path, binaries)
    installed = json.loads(run("pip list --format json", tmp_path, binaries))
    names = {package["name"] for package in installed}
    assert names - {"pip", "setuptools"} == {"edgeproof", "numpy", "pillow"}
    run(DEVICE[0], tmp_path, binaries)
    # From another folder, so that the installed package runs and not the checkout.
    elsewhere = DEVICE[1].replace("docs", str(tmp_path / "docs"))
    assert "Ankle boot" in run(elsewhere, tmp_path / "bare", binaries)


def test_the_workstation_command_names_what_make_installs(checkout: Path) -> None:
    quiet = WORKSTATION.replace("install", "install --dry-run --quiet")
    run(quiet, checkout)


def test_make_demo_runs_from_a_bare_checkout_and_again(tmp_path: Path) -> None:
    copy_of_the_checkout(tmp_path)
    for _ in range(2):
        printed = run("unset VENV; make demo", tmp_path)
        assert "Ankle boot" in printed
        assert (tmp_path / "demo/report.md").exists()
        assert (tmp_path / "demo/run/train.json").exists()  # the data set is here


def test_make_test_is_the_command_that_runs_these_tests(checkout: Path) -> None:
    planned = run("unset VENV; make --dry-run test", checkout)
    assert "pytest -m slow" in planned
    assert 'pytest -m "not slow"' in planned
