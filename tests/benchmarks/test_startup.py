from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.measures import startup

MODELS = Path(__file__).parents[1] / "models"
HEAVY = 100_000_000


@pytest.fixture
def heavy_tensorflow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A package of that name that takes much memory and has LiteRT's interpreter."""
    home = tmp_path / "tensorflow" / "lite" / "python"
    home.mkdir(parents=True)
    for folder in (home, home.parent, home.parent.parent):
        (folder / "__init__.py").touch()
    (home / "interpreter.py").write_text(
        f"from ai_edge_litert.interpreter import Interpreter\nBALLAST = b'1' * {HEAVY}\n"
    )
    monkeypatch.syspath_prepend(tmp_path)


@pytest.mark.usefixtures("heavy_tensorflow")
def test_what_a_chosen_engine_takes_is_never_taken_for_the_models() -> None:
    pytest.importorskip("ai_edge_litert")
    found = startup.sample(MODELS / "halves.int8.tflite", engine="tensorflow")
    assert found.memory is not None
    assert found.memory.runtime_bytes > HEAVY
    assert found.memory.model_bytes < HEAVY / 2
