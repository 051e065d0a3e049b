from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.measures import macs, peak
from edge_runtime import modelfile
from tests.conftest import RUNNABLE

MODELS = Path(__file__).parents[1] / "models"


@pytest.mark.parametrize("kind", RUNNABLE)
@pytest.mark.parametrize("precision", ["float32", "int8"])
def test_every_file_of_a_model_takes_the_same_work_in_its_own_arithmetic(
    kind: str, precision: str
) -> None:
    found = macs.count(modelfile.read(MODELS / f"halves.{precision}.{kind}"))
    other = macs.count(modelfile.read(MODELS / "halves.float32.tflite"))
    assert found is not None
    assert other is not None
    assert found.arithmetic == precision
    assert found.macs == other.macs > 0


def test_work_is_counted_as_one_would_by_hand() -> None:
    found = macs.count(modelfile.read(Path("edge_runtime/models/fashion-mnist.int8.tflite")))
    # Output positions x kernel x channels in x channels out, layer by layer; then the dense one.
    whole = [(28, 9, 1, 16), *[(28, 9, 16, 16)] * 4]
    separable = [(14, 16, 96), *[(14, 96, 96)] * 3, (7, 96, 128), *[(7, 128, 128)] * 2]
    by_hand = sum(side**2 * kernel * into * out for side, kernel, into, out in whole)
    by_hand += sum(side**2 * (9 * into + into * out) for side, into, out in separable) + 128 * 10
    assert found == macs.Work(by_hand, "int8")


def test_the_limit_is_what_the_fastest_product_reached() -> None:
    seen = peak.measure(num_threads=1, seconds=0.05)
    assert [one.arithmetic for one in seen] == ["float32", "int8"]
    for one in seen:
        # The same products in this process; of numpy's, these take all cores.
        here = {
            by: 512**3 / peak._fastest_seconds(product, 0.05)
            for arithmetic, by, product in peak._products(num_threads=1)
            if arithmetic == one.arithmetic
        }
        alone = max(speed for by, speed in here.items() if by != "numpy")
        # Of many calls the shortest met little else; other work on the core's other half halves it.
        assert alone / 4 < one.macs_per_second < 4 * max(here.values())
