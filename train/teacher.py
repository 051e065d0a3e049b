"""Distillation: a small model also learns from what larger, trained ones answer.

Asking a large model costs more than a step of a small one, so each of a number of changed
versions of every training picture is asked about once; the answers are kept on disk, and later
epochs repeat the versions (Hinton et al. 2015, "Distilling the Knowledge in a Neural Network").
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_runtime.files import write_atomically
from edge_runtime.spec import ModelSpec
from train.config import TrainConfig
from train.datasets import Dataset
from train.runs import Run, load
from train.sealed import pack, unpack


class Lessons:
    """What the teachers answer, by version of the training pictures."""

    def __init__(
        self,
        teachers: Sequence[Run],
        dataset: Dataset,
        config: TrainConfig,
        folder: Path,
        *,
        keeps: bool = True,
    ) -> None:
        """Load the teachers.

        Args:
            teachers: one or more; of several, the logits are averaged.
            dataset: its training pictures are asked about.
            config: how the pictures are changed.
            folder: where answers are kept.
            keeps: of several machines that share the folder, one keeps them there.

        Raises:
            ModelError: Keras cannot load one.
        """
        self._dataset, self._config = dataset, config
        self._folder, self._keeps = folder, keeps
        self._models = [(load(teacher.model), teacher.spec) for teacher in teachers]

    def of(self, version: int) -> NDArray[np.float16]:
        """The logits of one version of every training picture: shape (n, classes).

        Raises:
            OutputError: they cannot be kept.
        """
        path = self._folder / f"teacher-{version:06}.logits"
        try:
            return unpack(path.read_bytes())["logits"]
        except (OSError, ValueError):  # not asked yet, or damaged
            logits = self._answers(version)
            if self._keeps:
                write_atomically(path, pack({"logits": logits}), overwrite=True)
            return logits

    def _answers(self, version: int) -> NDArray[np.float16]:
        answers = np.mean([self._ask(*pair, version) for pair in self._models], axis=0)
        logits: NDArray[np.float16] = answers.astype(np.float16)
        return logits

    def _ask(self, model: Any, spec: ModelSpec, version: int) -> NDArray[np.float32]:
        import tensorflow as tf

        from train import batches

        ask = tf.function(lambda images: model(images, training=False))
        shape = (len(self._dataset.train), len(self._dataset.labels))
        answers = np.empty(shape, np.float32)
        epochs = range(version, version + 1)
        for images, _, positions in batches.training(
            self._dataset, self._config, epochs, image=spec.image
        ):
            answers[positions.numpy()] = ask(images).numpy()
        return np.log(np.maximum(answers, 1e-6)) if spec.scores == "probabilities" else answers
