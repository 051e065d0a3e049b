"""Measure what the input pipeline costs: a step on pictures that wait, against a step on new ones.

Both run in turns in one process, so that other work on the machine meets both alike:

    python -m scripts.pipeline_cost --config small --report docs/reports/train/pipeline.json
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import Any

from edge_runtime import console
from edge_runtime.files import write_atomically
from train import datasets, framework, recipe
from train.config import TrainConfig


def main(argv: Sequence[str] | None = None) -> int:
    """Measure, print, and write the report."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    add = parser.add_argument
    add("--config", default="small", metavar="NAME|FILE", help="the recipe (default: small)")
    add("--rounds", type=int, default=20, help="of both ways (default: 20)")
    add("--steps", type=int, default=5, help="a round (default: 5)")
    add("--report", type=Path, metavar="FILE", help="where the figures go, as JSON")
    arguments = parser.parse_args(argv)
    return console.run("pipeline-cost", lambda: _measure(arguments))


def _measure(arguments: argparse.Namespace) -> int:
    framework.load(verbose=False)
    config = TrainConfig(**recipe.read(recipe.find(arguments.config)) | {"teacher": None})
    waiting, new = _ways(config, arguments.steps)
    for way in (waiting, new):  # compiles
        way()
    rounds = [(_cpu(waiting), _cpu(new)) for _ in range(arguments.rounds)]
    ratios = sorted(each[1] / each[0] for each in rounds)
    report = {
        "config": arguments.config,
        "batch_size": config.batch_size,
        "rounds": arguments.rounds,
        "steps_a_round": arguments.steps,
        "cpu_ms_a_step": {
            name: round(1000 * median(each[place] for each in rounds) / arguments.steps, 2)
            for place, name in enumerate(("waiting_pictures", "new_pictures"))
        },
        "cost_percent": round(100 * (median(ratios) - 1), 2),
        "cost_percent_quartiles": [
            round(100 * (ratios[len(ratios) * part // 4] - 1), 2) for part in (1, 3)
        ],
    }
    text = json.dumps(report, indent=2)
    print(text)
    if arguments.report:
        write_atomically(arguments.report, f"{text}\n".encode(), overwrite=True)
    return 0


def _ways(config: TrainConfig, steps: int) -> tuple[Callable[[], Any], Callable[[], Any]]:
    """So many training steps on the same batch again and again, and on the pipeline's."""
    import keras
    import numpy as np
    import tensorflow as tf

    from train import batches, distribute, models
    from train.trainer import Trainer

    dataset = datasets.load(config.dataset)
    keras.utils.set_random_seed(config.seed)
    # So slow that weights stay sane however long it takes.
    config = replace(config, learning_rate=1e-6, schedule="constant", epochs=10_000)
    model = models.build(config, dataset.image, len(dataset.labels))
    strategy = tf.distribute.get_strategy()
    weights = np.ones(len(dataset.labels), np.float32)
    trainer = Trainer(model, config, steps, weights, strategy)
    pipeline = batches.training(dataset, config, range(config.epochs))
    kept = tf.data.Dataset.from_tensors(next(iter(pipeline))).cache().repeat()

    def way(pictures: Any) -> Callable[[], Any]:
        iterator = iter(distribute.shares(pictures, strategy))
        return lambda: trainer.epoch(1, iterator, steps, lambda _: None)

    return way(kept), way(pipeline)


def _cpu(work: Callable[[], Any]) -> float:
    """Processor seconds over all threads: what a pipeline costs, whoever else is busy."""
    start = time.process_time()
    work()
    return time.process_time() - start


if __name__ == "__main__":
    sys.exit(main())
