"""One training from beginning to end: load, build, fit, evaluate, save."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from edge_runtime.files import new_directory, refuse_existing
from train import datasets, framework
from train.config import TrainConfig
from train.evaluate import evaluate

if TYPE_CHECKING:
    from train.save import Trained


def train(
    config: TrainConfig, out: Path, *, overwrite: bool = False, verbose: bool = False
) -> Trained:
    """Train a model and write its run directory.

    Args:
        config: what to train, on what, and how.
        out: the run directory; it appears as a whole when all is done.
        overwrite: replace a run directory that is there already.
        verbose: let TensorFlow say what it likes.

    Raises:
        UsageError: the config does not fit the data, or `out` exists or cannot be written.
        InputError: the data cannot be had or is damaged.
        EngineError: TensorFlow or another package is not installed.
    """
    refuse_existing(out, overwrite=overwrite)
    dataset = datasets.load(config.dataset, data_dir=config.data)
    if config.limit is not None:
        dataset = dataset.limited(config.limit)
    splits = (dataset.train, dataset.validation, dataset.test)
    print(
        "{}: {:,} training, {:,} validation, {:,} test pictures from {}".format(
            dataset.name, *map(len, splits), dataset.folder
        ),
        file=sys.stderr,
    )
    framework.load(verbose=verbose)
    # The folder is made first: a place that cannot be written must not cost a training.
    with new_directory(out, overwrite=overwrite) as folder:
        from train import save

        trained = _trained(config, out, dataset)
        save.write(folder, trained)
    return trained


def _trained(config: TrainConfig, out: Path, dataset: datasets.Dataset) -> Trained:
    import keras

    from train import fit, models, progress, save

    keras.utils.set_random_seed(config.seed)
    model = models.build(config.model, dataset.image, len(dataset.labels))
    wall, processor = time.monotonic(), time.process_time()
    with progress.shown(config.epochs, fit.steps_per_epoch(dataset, config)) as listener:
        fitted = fit.fit(model, dataset, config, listener)
    wall, processor = time.monotonic() - wall, time.process_time() - processor
    # The only look at the test pictures, when nothing is left to choose.
    scores = fit.predict(model, dataset.test, dataset.image)
    return save.Trained(
        config=config,
        out=out,
        dataset=dataset,
        model=model,
        fitted=fitted,
        scores=scores,
        evaluation=evaluate(scores, dataset.test.labels, dataset.labels),
        seconds=wall,
        cpu_seconds=processor,
    )
