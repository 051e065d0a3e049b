"""A normalisation that was told with a flag, and that the pictures themselves contradict."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

import numpy as np

from edge_runtime.errors import UsageError
from edge_runtime.spec import ImageInput
from export.source import Source
from export.verify import reference_scores

_PICTURES: Final = 200
_CLEARLY: Final = 0.25  # more of the pictures right, 0..1
_RANGES: Final = {"0..255": (0.0, 1.0), "0..1": (0.0, 255.0), "-1..1": (127.5, 127.5)}


def refuse_a_wrong_range(source: Source, model: Any) -> None:
    """Refuse a value range with which the original is far worse than with another.

    Needs true labels. Whoever gives a model 0..255 that was trained on 0..1, or lets a picture be
    scaled twice, gets a file that agrees with the original perfectly and is always wrong.

    Raises:
        UsageError: another range fits the model clearly better; the message says which.
    """
    if source.labels is None:
        return
    chosen = np.random.default_rng(0).permutation(len(source.labels))[:_PICTURES]

    def right(image: ImageInput) -> float:
        scores = reference_scores(model, source.evaluation[chosen], image)
        return float(np.mean(scores.argmax(axis=1) == labels))

    image, labels = source.spec.image, source.labels[chosen]
    told = right(image)
    others = {
        name: right(replace(image, mean=(mean,) * image.channels, std=(std,) * image.channels))
        for name, (mean, std) in _RANGES.items()
    }
    best = max(others, key=lambda name: others[name])
    if others[best] > told + _CLEARLY:
        raise UsageError(
            f"{source.model} is right on {told:.0%} of {len(labels)} pictures as described, but on "
            f"{others[best]:.0%} with pixels {best}; give --input-range {best}"
        )
