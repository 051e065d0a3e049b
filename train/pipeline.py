"""One training from beginning to end: load, build, fit, evaluate, save."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from edge_runtime.errors import OutputError
from edge_runtime.files import new_directory, refuse_existing
from edge_runtime.spec import ImageInput
from train import datasets, framework, runs
from train.calibrate import calibrate
from train.checkpoint import Checkpoints, State
from train.config import TrainConfig
from train.evaluate import evaluate
from train.interrupt import insisting
from train.runs import Run
from train.teacher import Lessons

if TYPE_CHECKING:
    from train.save import Trained

SUMMARY: Final = "train.json"

_RANGE_IMAGES: Final = 1000  # training pictures that show which values a model to quantize keeps

_IMBALANCE: Final = 3  # so many times as many pictures of one class as of another are pointed out

# What may be another when an interrupted training goes on: where files are, and a smaller
# learning rate, which is what a loss that is no number asks for.
_MAY_CHANGE: Final = ("data", "teacher", "quantize", "learning_rate")


def train(
    config: TrainConfig,
    out: Path,
    *,
    overwrite: bool = False,
    resume: bool = False,
    verbose: bool = False,
) -> Trained:
    """Train a model and write its run directory.

    While it goes, a folder beside `out` with `.work` behind its name holds the state after each
    epoch.

    Args:
        config: what to train, on what, and how.
        out: the run directory; it appears as a whole when all is done.
        overwrite: replace a run directory that is there already, and begin anew.
        resume: go on where an interrupted training stopped, if there is one.
        verbose: let TensorFlow say what it likes.

    Raises:
        UsageError: the config does not fit the data, the loss is no number any more, or `out`
            exists or cannot be written.
        InputError: the data cannot be had or is damaged.
        EngineError: TensorFlow or another package is not installed.
    """
    refuse_existing(out, overwrite=overwrite, mark=SUMMARY)
    work = out.with_name(f"{out.name}.work")
    if not (resume or overwrite):
        _refuse_unfinished(work)
    dataset = datasets.load(
        config.dataset, data_dir=config.data, size=config.size, color=config.color
    )
    dataset = replace(dataset, mirrors=dataset.mirrors or config.mirror)
    if config.limit is not None:
        dataset = dataset.limited(config.limit)
    if not config.rescale:
        dataset = replace(dataset, image=_unscaled(dataset.image))
        print(
            "--no-rescale: pixels stay 0..255, which most models learn badly from; "
            "this is for comparison",
            file=sys.stderr,
        )
    splits = (dataset.train, dataset.validation, dataset.test)
    print(
        "{}: {:,} training, {:,} validation, {:,} test pictures from {}".format(
            dataset.name, *map(len, splits), dataset.folder
        ),
        file=sys.stderr,
    )
    _note_imbalance(dataset, config)
    teachers = [runs.find(folder, dataset, "--teacher") for folder in config.teacher or ()]
    start = runs.find(config.quantize, dataset, "--quantize") if config.quantize else None
    if start:
        dataset = replace(dataset, image=start.spec.image)
    framework.load(verbose=verbose)
    settings = {key: value for key, value in config.to_dict().items() if key not in _MAY_CHANGE}
    checkpoints = Checkpoints(
        work,
        {
            **settings,
            "files": dict(dataset.sha256),
            "teachers": [known.sha256 for known in teachers],
            "start": start and start.sha256,
        },
    )
    if not resume:
        checkpoints.clear()
    state = checkpoints.latest()
    # The folder is made first: a place that cannot be written must not cost a training.
    checkpoints.prepare()
    with _told(checkpoints, config.epochs):
        from train import save

        trained = _trained(
            config,
            out,
            dataset,
            start=start,
            teachers=teachers,
            checkpoints=checkpoints,
            state=state,
        )
        with new_directory(out, overwrite=overwrite, mark=SUMMARY) as folder:
            save.write(folder, trained)
    checkpoints.clear()
    return trained


def is_finished(config: TrainConfig, out: Path) -> bool:
    """Whether `out` holds the complete run of this config already."""
    try:
        found = json.loads((out / SUMMARY).read_bytes())["config"]
    except (OSError, ValueError, KeyError, TypeError):
        return False
    return bool(found == config.to_dict())


def _trained(
    config: TrainConfig,
    out: Path,
    dataset: datasets.Dataset,
    *,
    start: Run | None,
    teachers: Sequence[Run],
    checkpoints: Checkpoints,
    state: State | None,
) -> Trained:
    import keras

    from train import batches, fit, progress, save

    done = len(state.history) if state else 0
    keras.utils.set_random_seed(config.seed)
    model = _model(config, dataset, start)
    lessons = Lessons(teachers, dataset, config, checkpoints.folder) if teachers else None
    steps = batches.steps_per_epoch(dataset, config)
    with (
        progress.shown(config.epochs, steps, done=done) as shown,
        insisting(shown) as listener,
    ):
        fitted = fit.fit(
            model,
            dataset,
            config,
            listener,
            lessons=lessons,
            start=state,
            save=checkpoints.save,
        )
    logits = fit.predict(model, dataset.validation, dataset.image)
    calibration = calibrate(logits, dataset.validation.labels, sure=config.sure)
    # The only look at the test pictures, when nothing is left to choose.
    scores = fit.predict(model, dataset.test, dataset.image)
    return save.Trained(
        config=config,
        out=out,
        dataset=dataset,
        model=model,
        fitted=fitted,
        calibration=calibration,
        scores=scores,
        evaluation=evaluate(scores, dataset.test.labels, dataset.labels),
    )


def _note_imbalance(dataset: datasets.Dataset, config: TrainConfig) -> None:
    counts = dict(zip(dataset.labels, dataset.train.counts(len(dataset.labels)), strict=True))
    rare, frequent = min(counts, key=counts.__getitem__), max(counts, key=counts.__getitem__)
    if counts[frequent] > _IMBALANCE * counts[rare] and not config.class_weights:
        print(
            f"classes differ: {counts[rare]:,} pictures of {rare}, {counts[frequent]:,} of "
            f"{frequent}; --class-weights lets them count alike",
            file=sys.stderr,
        )


def _unscaled(image: ImageInput) -> ImageInput:
    return replace(image, mean=(0.0,) * image.channels, std=(1.0,) * image.channels)


def _model(config: TrainConfig, dataset: datasets.Dataset, start: Run | None) -> Any:
    """The model to train: a new one, or a trained one that now rounds as int8 does."""
    import keras

    from train import models, simulation

    if start is None:
        return models.build(config, dataset.image, len(dataset.labels))
    trained = keras.saving.load_model(start.model, compile=False)
    pictures = dataset.train.sample(_RANGE_IMAGES).images
    return simulation.simulated(trained, pictures, start.spec.image)


def _refuse_unfinished(work: Path) -> None:
    newest = Checkpoints(work, {}).newest()
    if newest is not None:
        raise OutputError(
            f"{work} holds an unfinished training ({newest}); add --resume to go on with it, "
            "or --overwrite to begin anew"
        )


@contextmanager
def _told(checkpoints: Checkpoints, epochs: int) -> Iterator[None]:
    """Say what is safe when a training ends early, whatever ends it; leave no empty folder."""
    try:
        yield
    except BaseException:
        newest = checkpoints.newest()
        if newest is None:
            checkpoints.clear()
        else:
            print(
                f"{newest} of {epochs} is safe in {checkpoints.folder}: "
                "the same command with --resume goes on from there",
                file=sys.stderr,
            )
        raise
