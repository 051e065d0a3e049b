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
from train import datasets, distribute, framework, notes, prepare, runs
from train.calibrate import calibrate
from train.checkpoint import Checkpoints, State
from train.config import Distribution, TrainConfig
from train.evaluate import evaluate
from train.interrupt import insisting
from train.runs import Run
from train.teacher import Lessons

if TYPE_CHECKING:
    from train.save import Trained

SUMMARY: Final = "train.json"

# What may be another when an interrupted training goes on: where files are, and a smaller
# learning rate, which is what a loss that is no number asks for.
_MAY_CHANGE: Final = ("data", "teacher", "start", "quantize", "learning_rate")


def train(
    config: TrainConfig,
    out: Path,
    *,
    overwrite: bool = False,
    resume: bool = False,
    verbose: bool = False,
    tensorboard: Path | None = None,
    distribution: Distribution | None = None,
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
        tensorboard: a folder for logs of each epoch.
        distribution: train on more than one processor or machine; of several machines, the first
            worker writes.

    Raises:
        UsageError: the config does not fit the data, the loss is no number any more, or `out`
            exists or cannot be written.
        InputError: the data cannot be had or is damaged.
        EngineError: TensorFlow or another package is not installed, or a worker is lost.
    """
    refuse_existing(out, overwrite=overwrite, mark=SUMMARY)
    work = out.with_name(f"{out.name}.work")
    if not (resume or overwrite):
        _refuse_unfinished(work)
    dataset = prepare.dataset(config)
    notes.tell(dataset, config)
    teachers = [runs.find(folder, dataset, "--teacher") for folder in config.teacher or ()]
    start = prepare.start(config, dataset)
    framework.load(verbose=verbose, onednn=not prepare.narrow(config))
    strategy = distribute.strategy(distribution)
    dataset = replace(dataset, image=prepare.image(config, dataset.image, start))
    chief = distribute.is_chief(distribution)
    checkpoints = Checkpoints(work, _plan(config, dataset, teachers, start), _plan(TrainConfig()))
    if chief:
        if not resume:
            checkpoints.clear()
        # The folder is made first: a place that cannot be written must not cost a training.
        checkpoints.prepare()
    state = checkpoints.latest() if resume else None
    with _told(checkpoints, config.epochs), distribute.insisting_on_all(distribution):
        from train import save

        trained = _trained(
            config,
            out,
            dataset,
            start=start,
            teachers=teachers,
            checkpoints=checkpoints,
            state=state,
            tensorboard=tensorboard if chief else None,
            strategy=strategy,
            chief=chief,
        )
        if chief:
            with new_directory(out, overwrite=overwrite, mark=SUMMARY) as folder:
                save.write(folder, trained)
            checkpoints.clear()
        distribute.agree(strategy, 0)  # nobody leaves before the chief has written
    return trained


def _plan(
    config: TrainConfig,
    dataset: datasets.Dataset | None = None,
    teachers: Sequence[Run] = (),
    start: Run | None = None,
) -> dict[str, Any]:
    """What must be the same when a training goes on."""
    settings = {key: value for key, value in config.to_dict().items() if key not in _MAY_CHANGE}
    if dataset is None:
        return settings
    return {
        **settings,
        "files": dict(dataset.sha256),
        "teachers": [known.sha256 for known in teachers],
        "start": start and start.sha256,
    }


def is_finished(config: TrainConfig, out: Path) -> bool:
    """Whether `out` holds the complete run of this config already."""
    try:
        found = json.loads((out / SUMMARY).read_bytes())["config"]
    except (OSError, ValueError, KeyError, TypeError):
        return False
    return isinstance(found, dict) and config.repeats(found)


def _trained(
    config: TrainConfig,
    out: Path,
    dataset: datasets.Dataset,
    *,
    start: Run | None,
    teachers: Sequence[Run],
    checkpoints: Checkpoints,
    state: State | None,
    tensorboard: Path | None,
    strategy: Any,
    chief: bool,
) -> Trained:
    import keras

    from train import batches, fit, progress, save
    from train.tensorboard import Logs

    done = len(state.history) if state else 0
    keras.utils.set_random_seed(config.seed)
    model = prepare.model(config, dataset, start)
    kept = checkpoints.folder if chief else None
    lessons = Lessons(teachers, dataset, config, kept) if teachers else None
    logs = Logs(tensorboard, [v.path for v in model.variables]) if tensorboard else None

    def keep(state: State) -> None:
        if chief:
            checkpoints.save(state)
        if logs:
            logs.write(state)

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
            save=keep,
            strategy=strategy,
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
