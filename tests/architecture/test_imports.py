"""What may be loaded where. import-linter reads the source; these tests look at a running process."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import edge_runtime

ROOT = Path(__file__).parents[2]

FRAMEWORKS = ("tensorflow", "keras", "onnx", "tf2onnx", "matplotlib", "rich", "h5py", "scipy")
ENGINES = ("ai_edge_litert", "tflite_runtime", "onnxruntime")

# `None` in sys.modules makes an import fail, also one that is hidden in a function.
BLOCK = "import sys; sys.modules.update(dict.fromkeys({names!r}));"


def run_python(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60
    )


def test_every_runtime_module_imports_with_all_frameworks_and_engines_blocked() -> None:
    code = BLOCK.format(names=FRAMEWORKS + ENGINES) + (
        "import edge_runtime, importlib, pkgutil\n"
        "for module in pkgutil.walk_packages(edge_runtime.__path__, 'edge_runtime.'):\n"
        "    if not module.name.endswith('__main__'): importlib.import_module(module.name)\n"
    )
    done = run_python(code)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("package", "words"),
    [
        ("edge_runtime", ["classify"]),
        ("train", ["--dataset", "mlp"]),
        ("export", ["--max-accuracy-drop POINTS"]),
        ("benchmarks", ["--evaluation"]),
    ],
)
def test_help_needs_neither_numpy_nor_pillow_nor_any_framework(
    package: str, words: list[str]
) -> None:
    blocked = ("numpy", "PIL", "flatbuffers", *FRAMEWORKS, *ENGINES)
    done = run_python(
        BLOCK.format(names=blocked)
        + f"import runpy; sys.argv = ['{package}', '--help'];"
        + f"runpy.run_module('{package}', run_name='__main__')"
    )
    assert done.returncode == 0, done.stderr
    for told in (f"usage: python -m {package}", *words):
        assert told in done.stdout


def test_classifying_loads_one_engine_and_no_framework() -> None:
    done = run_python(
        "import sys, numpy\n"
        "from edge_runtime import Classifier\n"
        "Classifier.open('tests/models/halves.int8.onnx').classify(numpy.zeros((8, 8), 'uint8'))\n"
        f"print([name for name in {FRAMEWORKS + ENGINES!r} if name in sys.modules])"
    )
    assert done.stdout.strip() == "['onnxruntime']", done.stderr


def test_every_package_of_the_tree_is_installed() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]
    found = {
        ".".join(path.parent.relative_to(ROOT).parts)
        for stage in ("edge_runtime", "train", "export", "benchmarks")
        for path in (ROOT / stage).rglob("__init__.py")
    }
    assert set(settings["packages"]) == found


def test_naming_one_png_loads_nothing_that_only_others_need() -> None:
    needless = (
        "_hashlib",  # OpenSSL: 3.5 MiB
        "concurrent.futures",
        "csv",
        "edge_runtime.foreign",
        "edge_runtime.opening.trial",
        "PIL.GifImagePlugin",
        "PIL.JpegImagePlugin",
        "PIL.TiffImagePlugin",
        "subprocess",
        "tempfile",
    )
    done = run_python(
        "import sys\n"
        "from edge_runtime.cli import main\n"
        "main(['classify', 'docs/pictures/bag.png'])\n"
        f"print([name for name in {needless!r} if name in sys.modules])"
    )
    assert done.stdout.splitlines()[-1] == "[]", done.stdout + done.stderr


def test_the_public_names_are_sorted_and_exist() -> None:
    assert sorted(edge_runtime.__all__) == edge_runtime.__all__ == dir(edge_runtime)
    assert all(hasattr(edge_runtime, name) for name in edge_runtime.__all__)
