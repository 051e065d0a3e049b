from __future__ import annotations

import math
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from edge_runtime import ModelSpec
from edge_runtime.errors import ModelError
from edge_runtime.naming import namer
from edge_runtime.postprocess import probabilities
from edge_runtime.spec import Decision, ImageInput
from tests.edge_runtime.test_postprocess import LOGITS


def spec(classes: int, scores: Any, temperature: float = 1.0) -> ModelSpec:
    return ModelSpec(
        name="model",
        labels=tuple(f"class {index}" for index in range(classes)),
        image=ImageInput(height=2, width=2, color="gray", mean=(0.0,), std=(255.0,)),
        scores=scores,
        decision=Decision(temperature=temperature),
    )


@given(LOGITS, st.floats(0.1, 10), st.sampled_from(["logits", "probabilities"]))
def test_one_picture_is_named_as_in_a_batch(
    logits: NDArray[np.float32], temperature: float, kind: Any
) -> None:
    scores = logits[:1] if kind == "logits" else probabilities(logits[:1], "logits")
    expected = probabilities(scores, kind, temperature)[0]
    model = spec(scores.shape[1], kind, temperature)
    labels = model.labels
    named = namer(model, len(labels))(scores)
    assert sorted(prediction.index for prediction in named) == list(range(len(labels)))
    assert [prediction.label for prediction in named] == [labels[each.index] for each in named]
    for prediction in named:
        assert prediction.score == pytest.approx(expected[prediction.index], abs=2e-6)
    assert all(one.score >= other.score for one, other in pairwise(named))


@pytest.mark.parametrize("unit", [0.001, 0.07, 3.3, 30.0])
@pytest.mark.parametrize("dtype", [np.int8, np.uint8])
def test_integers_are_named_as_the_logits_they_stand_for(
    dtype: type[np.int8 | np.uint8], unit: float
) -> None:
    integers = np.random.default_rng(0).integers(0, 256, (1, 10), np.uint8).view(dtype)
    logits = (integers.astype(np.float32) - 3) * np.float32(unit)
    model = spec(10, "logits", 1.7)
    for top_k in (1, 5, 99):
        named = namer(model, top_k, unit=unit)(integers)
        real = namer(model, top_k)(logits)
        assert [each[:2] for each in named] == [each[:2] for each in real]
        scores = [each.score for each in real]
        assert [each.score for each in named] == pytest.approx(scores, rel=1e-4, abs=1e-12)


@pytest.mark.parametrize("kind", ["logits", "probabilities"])
@pytest.mark.parametrize("top_k", [1, 5, 200, 1000])
def test_many_classes_are_named_as_few_are(kind: Any, top_k: int) -> None:
    # A few values only, so that most are equal to others, which then keep the labels' order.
    scores = np.random.default_rng(0).integers(0, 3, (1, 200)).astype(np.float32) / 4
    named = namer(spec(200, kind), top_k)(scores)
    expected = sorted(range(200), key=scores[0].tolist().__getitem__, reverse=True)[:top_k]
    assert [each.index for each in named] == expected
    shares = probabilities(scores, kind)[0]
    assert [each.score for each in named] == [shares[index] for index in expected]


@pytest.mark.parametrize("classes", [3, 300])
@pytest.mark.parametrize("kind", ["logits", "probabilities"])
@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
def test_a_score_that_is_no_number_is_refused(number: float, kind: Any, classes: int) -> None:
    scores = np.full((1, classes), 0.1, np.float32)
    scores[0, 1] = number
    with pytest.raises(ModelError, match="no numbers"):
        namer(spec(classes, kind), 5)(scores)


@pytest.mark.parametrize("classes", [10, 300])
def test_only_the_labels_asked_for_are_named(classes: int) -> None:
    scores = np.arange(classes, dtype=np.float32)[None] / classes
    named = namer(spec(classes, "probabilities"), 2, among=[1, 4, 7])(scores)
    assert [each.index for each in named] == [7, 4]
    assert [each.score for each in named] == [scores[0, 7], scores[0, 4]]
