"""Logs for TensorBoard: the figures of each epoch, and histograms of all weights.

TensorFlow's own `tf.summary.scalar` is a part of the tensorboard package, which only those who look
at logs need. What it writes is a plain tensor and a note that says where TensorBoard shows it.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from edge_runtime.errors import OutputError
from train.checkpoint import State
from train.history import FIGURES

_BINS: Final = 30
_SCALAR, _TENSOR = 1, 2  # DataClass in tensorflow/core/framework/summary.proto


class Logs:
    """Log files in a folder; those of an interrupted training go on."""

    def __init__(self, folder: Path, names: Sequence[str]) -> None:
        """Begin a log file.

        Args:
            folder: `tensorboard --logdir` of it, or of one above it, shows the logs.
            names: of the model's weights, in their order.

        Raises:
            OutputError: the folder cannot be written.
        """
        self._folder, self._names = folder, names
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._writer = tf.summary.create_file_writer(str(folder))
        except (OSError, tf.errors.OpError) as error:
            raise self._unwritable(error) from error

    def write(self, state: State) -> None:
        """Log the newest epoch.

        Raises:
            OutputError: the disk is full.
        """
        epoch = state.history[-1]
        try:
            with self._writer.as_default(epoch.epoch):
                for name in FIGURES:
                    _write(f"epoch/{name}", np.float32(getattr(epoch, name)), "scalars", _SCALAR)
                for name, values in zip(self._names, state.weights["model"], strict=True):
                    _write(name, histogram(values), "histograms", _TENSOR)
                self._writer.flush()
        except tf.errors.OpError as error:
            raise self._unwritable(error) from error

    def _unwritable(self, error: Exception) -> OutputError:
        reason = str(error).strip().partition("\n")[0]
        return OutputError(
            f"cannot write {self._folder}: {reason}; name another place with --tensorboard"
        )


def histogram(values: NDArray[Any]) -> NDArray[np.float64]:
    """How many values lie in each of some equal steps: rows of (from, to, count)."""
    counts, edges = np.histogram(values.astype(np.float64), _BINS)
    return np.stack([edges[:-1], edges[1:], counts], axis=1)


def _write(name: str, values: Any, plugin: str, kind: int) -> None:
    note = tf.compat.v1.SummaryMetadata(data_class=kind)
    note.plugin_data.plugin_name = plugin
    tf.summary.write(name, values, metadata=note)
