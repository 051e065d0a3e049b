"""The limit: how many multiply-accumulates a second this machine can do, by large matrix products.

The same product is timed in whatever is installed (numpy's BLAS and the engines), in a fresh
process, and the fastest counts: what one of them reached, the machine can do.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from time import perf_counter_ns
from typing import Any, Final, get_args

import numpy as np

from benchmarks import engines, fresh
from benchmarks.measures.macs import Arithmetic
from benchmarks.synthetic.product import onnx_product, tflite_product
from edge_runtime.errors import EdgeError

_SIDE: Final = 512  # of the square matrices: 1 MB as float32, so they stay in the caches
_MACS: Final = _SIDE**3
# numpy's BLAS takes all cores unless one of these says otherwise before it is loaded.
_THREAD_VARIABLES: Final = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")


@dataclass(frozen=True)
class Peak:
    """The most multiply-accumulates a second that was seen of one arithmetic, on some threads."""

    arithmetic: Arithmetic
    macs_per_second: float
    by: str  # whose product: "numpy", or an engine's name


def measure(
    num_threads: int, cores: tuple[int, ...] | None = None, seconds: float = 0.4
) -> tuple[Peak, ...]:
    """Measure the peaks of as many threads as the models are given; () where it fails.

    Args:
        num_threads: of each product.
        cores: that the process is kept on; None is on all.
        seconds: for each product.
    """
    job = {"num_threads": num_threads, "cores": cores, "seconds": seconds}
    threads = dict.fromkeys(_THREAD_VARIABLES, str(num_threads))
    try:
        answer = fresh.run(__name__, job, about="the limit of this machine", environment=threads)
    except EdgeError:
        return ()
    return tuple(Peak(**peak) for peak in answer["peaks"])


# --- in the fresh process ----------------------------------------------------------------------


def _peaks(job: Mapping[str, Any]) -> dict[str, Any]:
    fresh.pin(job["cores"])
    best: dict[str, Peak] = {}
    for arithmetic, by, product in _products(job["num_threads"]):
        peak = Peak(arithmetic, _MACS / _fastest_seconds(product, job["seconds"]), by)
        if arithmetic not in best or peak.macs_per_second > best[arithmetic].macs_per_second:
            best[arithmetic] = peak
    return {"peaks": [asdict(peak) for peak in best.values()]}


def _products(num_threads: int) -> Iterator[tuple[Arithmetic, str, Callable[[], object]]]:
    left, right = np.random.default_rng(0).random((2, _SIDE, _SIDE), np.float32)
    out = np.empty_like(left)
    yield "float32", "numpy", lambda: np.matmul(left, right, out=out)
    for arithmetic in get_args(Arithmetic):
        for call, model in (
            (engines.tflite_call, tflite_product(arithmetic, _SIDE)),
            (engines.onnx_call, onnx_product(arithmetic, _SIDE)),
        ):
            # Whatever is not installed, or lacks something for it: the others still say something.
            with suppress(Exception):
                by, product = call(model, num_threads)
                yield arithmetic, by, product


def _fastest_seconds(product: Callable[[], object], seconds: float) -> float:
    """The shortest of many calls: a limit is what is possible, not what is usual."""
    until, shortest = perf_counter_ns() + int(seconds * 1e9), float("inf")
    while perf_counter_ns() < until:
        started = perf_counter_ns()
        product()
        shortest = min(shortest, perf_counter_ns() - started)
    return shortest / 1e9


if __name__ == "__main__":
    raise SystemExit(fresh.serve(_peaks))
