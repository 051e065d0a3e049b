"""Pictures that a model cannot take."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from train.cli import main

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(("size", "code"), [(3, 2), (4, 0)])
def test_the_cnn_says_how_small_pictures_may_be(
    size: int, code: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    random = np.random.default_rng(0)
    for label in ("dark", "light"):
        folder = tmp_path / "pictures" / label
        folder.mkdir(parents=True)
        for number in range(10):
            picture = random.integers(0, 256, (8, 8), dtype=np.uint8)
            Image.fromarray(picture).save(folder / f"{number}.png")
    given = ["--dataset", str(tmp_path / "pictures"), "--model", "cnn", "--size", str(size)]
    assert main([*given, "--epochs", "1", "--out", str(tmp_path / "run")]) == code
    told = capsys.readouterr().err
    assert ("takes 4 pixels or more to a side; give a larger --size" in told) == (code == 2)
    assert [path.name for path in tmp_path.glob("run*")] == ([] if code else ["run"])
