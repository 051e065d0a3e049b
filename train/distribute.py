"""More than one processor or machine: TensorFlow's strategies, and who does what under them.

Every replica keeps a copy of the model and takes its share of each batch; gradients are summed. So
a training takes the same steps however many share it, but for rounding, and for batch
normalisation, which sees a replica's own share of a batch.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

from edge_runtime.errors import EngineError, UsageError
from train.config import Distribution

_CONFIG: Final = "TF_CONFIG"
_EXAMPLE: Final = (
    '{"cluster": {"worker": ["host1:2222", "host2:2222"]}, "task": {"type": "worker", "index": 0}}'
)


class WorkerLostError(EngineError):
    """Another worker of the cluster does not answer any more."""


def strategy(distribution: Distribution | None) -> Any:
    """The strategy of a training, to be made before TensorFlow computes anything.

    Args:
        distribution: None for one replica; "mirrored" for all GPUs of this machine, or where there
            are none, one replica; "multi-worker" for the cluster in the environment's TF_CONFIG.
            It waits until all workers have come.

    Raises:
        UsageError: TF_CONFIG is missing or wrong.
    """
    import tensorflow as tf

    chosen = alone = tf.distribute.get_strategy()
    if distribution == "mirrored":
        chosen = tf.distribute.MirroredStrategy()
    elif distribution == "multi-worker":
        _require_cluster()
        try:
            chosen = tf.distribute.MultiWorkerMirroredStrategy()
        except (tf.errors.OpError, ValueError, RuntimeError) as error:
            raise EngineError(f"the workers in {_CONFIG} do not meet: {error}") from error
    # One replica trains the model that is there, which a strategy of its own would refuse.
    return chosen if chosen.num_replicas_in_sync > 1 else alone


def is_chief(distribution: Distribution | None) -> bool:
    """Whether this process is the one that writes."""
    return distribution != "multi-worker" or _task()[1] == 0


def shares(batches: Any, strategy: Any) -> Any:
    """What the replicas of this worker take of each batch.

    Args:
        batches: a `tf.data.Dataset` of (pictures, labels, positions), the same on every worker.
        strategy: who takes part.

    Returns:
        An iterable for `strategy.run`, of (pictures, labels, positions, pictures in the batch).
    """
    import tensorflow as tf

    replicas = strategy.num_replicas_in_sync

    def own(context: Any) -> Any:
        if replicas == 1:
            return batches.map(lambda *batch: (*batch, tf.shape(batch[2])[0]))
        count = replicas // context.num_input_pipelines
        first = context.input_pipeline_id * count

        def cut(*batch: Any) -> Any:
            return tf.data.Dataset.range(first, first + count).map(
                lambda replica: (
                    *(part[replica::replicas] for part in batch),
                    tf.shape(batch[2])[0],
                )
            )

        return batches.flat_map(cut).prefetch(tf.data.AUTOTUNE)

    return strategy.distribute_datasets_from_function(own)


def require_divisible(strategy: Any, pictures: int, batch_size: int) -> None:
    """Every replica needs a picture of every batch.

    Raises:
        UsageError: some batch has fewer.
    """
    replicas, last = strategy.num_replicas_in_sync, pictures % batch_size or batch_size
    if last < replicas:
        raise UsageError(
            f"the last batch of an epoch has {last} pictures for {replicas} replicas; "
            "take another --batch-size"
        )


def agree(strategy: Any, value: float) -> bool:
    """Whether all replicas come with the same value; all wait here for one another."""
    import tensorflow as tf

    def own() -> Any:
        return tf.distribute.get_replica_context().all_reduce("SUM", tf.constant(value))

    replicas = strategy.num_replicas_in_sync
    total = strategy.experimental_local_results(strategy.run(tf.function(own)))[0]
    return bool(abs(float(total) - replicas * value) < 1e-3)


def require_alike(strategy: Any, plan: Mapping[str, Any]) -> None:
    """All replicas must train the same on the same pictures; all wait here for one another.

    Raises:
        UsageError: another worker has other settings, pictures or earlier runs.
    """
    digest = hashlib.sha256(json.dumps(plan, sort_keys=True).encode()).digest()
    if not agree(strategy, int.from_bytes(digest[:2], "big")):  # float32 adds up few digits
        raise UsageError(
            "the workers have different settings, pictures or earlier runs; start all of them with "
            "the same command and files"
        )


def wait_for_chief(strategy: Any, *, chief: bool) -> None:
    """Wait for all workers at the end, so that nobody leaves before the chief has written."""
    import tensorflow as tf

    try:
        agree(strategy, 0)
    except tf.errors.OpError:
        if not chief:  # what the chief has written stays, whoever is lost now
            raise


@contextmanager
def insisting_on_all(distribution: Distribution | None) -> Iterator[None]:
    """Turn what TensorFlow says when a worker is gone into one error.

    Raises:
        WorkerLostError: another worker does not answer any more.
    """
    if distribution != "multi-worker":
        yield
        return
    import tensorflow as tf

    # What a lost worker looks like from the others. Anything else would come again after a restart.
    lost = (
        tf.errors.UnavailableError,
        tf.errors.AbortedError,
        tf.errors.CancelledError,
        tf.errors.DeadlineExceededError,
        tf.errors.InternalError,
        tf.errors.UnknownError,
    )
    try:
        yield
    except lost as error:
        raise WorkerLostError(
            "another worker is gone; start it again with the same command and --resume"
        ) from error


def _require_cluster() -> None:
    kind, index = _task()
    cluster = _document().get("cluster")
    workers = cluster.get("worker") if isinstance(cluster, dict) else None
    if kind != "worker" or not isinstance(workers, list) or not 0 <= index < len(workers):
        raise UsageError(
            f"{_CONFIG} names the task {kind} {index} of {json.dumps(cluster)}; expected a worker "
            f"of a list of workers, such as {_EXAMPLE}"
        )


def _task() -> tuple[str, int]:
    task: Any = _document().get("task")
    try:
        return str(task["type"]), int(task["index"])
    except (TypeError, KeyError, ValueError) as error:
        raise UsageError(
            f"{_CONFIG} has no task with type and index; expected such as {_EXAMPLE}"
        ) from error


def _document() -> dict[str, Any]:
    text = os.environ.get(_CONFIG, "")
    try:
        document = json.loads(text)
    except ValueError as error:
        raise UsageError(
            f"--distribute multi-worker reads {_CONFIG} from the environment, which is "
            f"{text[:100]!r}; expected such as {_EXAMPLE}"
        ) from error
    if not isinstance(document, dict):
        raise UsageError(f"{_CONFIG} is no JSON object; expected such as {_EXAMPLE}")
    return document
