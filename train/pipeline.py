"""One training from beginning to end: load, build, fit, evaluate, save."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from edge_runtime.errors import EdgeError, OutputError
from edge_runtime.files import new_directory, refuse_existing
from train import distribute, framework, notes, prepare
from train.calibrate import calibrate
from train.checkpoint import Checkpoints, State
from train.config import Distribution, TrainConfig
from train.evaluate import evaluate
from train.interrupt import insisting
from train.prepare import Job
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
) -> Trained | None:
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

    Returns:
        What came out; None where there is nothing to resume, for `out` is this very training.

    Raises:
        UsageError: the config does not fit the data, the loss is no number any more, or `out`
            exists or cannot be written.
        InputError: the data cannot be had or is damaged.
        EngineError: TensorFlow or another package is not installed, or a worker is lost.
    """
    perhaps_done = resume and not overwrite and (out / SUMMARY).is_file()
    if not perhaps_done:
        refuse_existing(out, overwrite=overwrite, mark=SUMMARY)
    work = out.with_name(f"{out.name}.work")
    if not (resume or overwrite):
        _refuse_unfinished(work)
    job = prepare.job(config)
    if perhaps_done:
        if _is_finished(job, out):
            _clear_away(work, job, chief=distribute.is_chief(distribution))
            return None
        refuse_existing(out, overwrite=False)
    notes.tell(job.dataset, config)
    framework.load(verbose=verbose)
    strategy = distribute.strategy(distribution)
    image = prepare.image(config, job.dataset.image, job.start)
    job = replace(job, dataset=replace(job.dataset, image=image))
    plan = _plan(job)
    chief = distribute.is_chief(distribution)
    checkpoints = Checkpoints(work, plan, _settings(TrainConfig()), writes=chief)
    # The folder is made first: a place that cannot be written must not cost a training.
    state = checkpoints.begin(resume=resume)
    with _told(checkpoints, config.epochs), distribute.insisting_on_all(distribution):
        from train import save

        distribute.require_alike(strategy, {**plan, "learning_rate": config.learning_rate})
        logs = tensorboard if chief else None
        trained = _trained(job, out, checkpoints, state, strategy=strategy, tensorboard=logs)
        if chief:
            with new_directory(out, overwrite=overwrite, mark=SUMMARY) as folder:
                save.write(folder, trained)
            checkpoints.clear()
        distribute.wait_for_chief(strategy, chief=chief)
    return trained


def _settings(config: TrainConfig) -> dict[str, Any]:
    return {key: value for key, value in config.to_dict().items() if key not in _MAY_CHANGE}


def _plan(job: Job) -> dict[str, Any]:
    """What must be the same when a training goes on."""
    return {**_settings(job.config), **job.origins}


def _is_finished(job: Job, out: Path) -> bool:
    """Whether `out` holds the complete run of this job already."""
    try:
        found = json.loads((out / SUMMARY).read_bytes())
        # Runs of an earlier version say of what they come from only the files.
        origins = job.origins | {"files": found["dataset"]["sha256"]} | found.get("origins", {})
        return job.config.repeats(found["config"]) and origins == job.origins
    except (OSError, ValueError, KeyError, TypeError):
        return False


def _clear_away(work: Path, job: Job, *, chief: bool) -> None:
    """Remove this job's checkpoints, which a kill may have left when the run was there already."""
    checkpoints = Checkpoints(work, _plan(job), _settings(TrainConfig()), writes=chief)
    with suppress(EdgeError):  # those of another training stay
        checkpoints.latest()
        checkpoints.clear()


def _trained(
    job: Job,
    out: Path,
    checkpoints: Checkpoints,
    state: State | None,
    *,
    strategy: Any,
    tensorboard: Path | None,
) -> Trained:
    import keras

    from train import batches, fit, progress, save
    from train.tensorboard import Logs

    config, dataset = job.config, job.dataset
    done = len(state.history) if state else 0
    keras.utils.set_random_seed(config.seed)
    model = prepare.model(job)
    lessons = None
    if job.teachers:
        kept = checkpoints.folder
        lessons = Lessons(job.teachers, dataset, config, kept, keeps=checkpoints.writes)
    logs = Logs(tensorboard, [v.path for v in model.variables]) if tensorboard else None
    if logs and state:
        logs.write(state)  # a kill may have come before it was written

    def keep(state: State) -> None:
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
        job=job,
        out=out,
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
    from train.trainer import DivergedError

    try:
        yield
    except BaseException as error:
        newest = checkpoints.newest()
        if newest is None:
            checkpoints.clear()
            raise
        safe = f"{newest} of {epochs} is safe in {checkpoints.folder}"
        if isinstance(error, DivergedError):  # its advice and --resume belong together
            raise DivergedError(f"{error} --resume: {safe}") from error
        print(f"{safe}: the same command with --resume goes on from there", file=sys.stderr)
        raise
