"""Muon: steps of kernels with all directions alike, and AdamW's of everything else."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from train.config import TrainConfig

pytestmark = pytest.mark.slow

SHARE = 0.02


@pytest.fixture
def model() -> Any:
    """A convolution, a depthwise one, batch normalisation and the last layer."""
    import keras

    keras.utils.set_random_seed(0)
    return keras.Sequential(
        [
            keras.Input((8, 8, 4)),
            keras.layers.Conv2D(16, 3, use_bias=False, name="whole"),
            keras.layers.DepthwiseConv2D(3, use_bias=False, name="depthwise"),
            keras.layers.BatchNormalization(name="normal"),
            keras.layers.Flatten(),
            keras.layers.Dense(10, name="logits"),
        ]
    )


def stepped(model: Any, scale: float = 1.0) -> dict[str, tuple[Any, Any]]:
    """Each variable before and after a step whose gradients have one strong direction."""
    import keras

    from train import optimizers

    config = TrainConfig(model="cnn", optimizer="muon", learning_rate=SHARE, schedule="constant")
    random = np.random.default_rng(0)
    variables = model.trainable_variables
    before = [variable.numpy() for variable in variables]
    gradients = [scale * random.normal(size=variable.shape) for variable in variables]
    gradients[0][..., 0] *= 100
    optimizer = optimizers.optimizer(model, config, SHARE)
    optimizer.apply([keras.ops.cast(each, "float32") for each in gradients], variables)
    after = [variable.numpy() for variable in variables]
    return {
        "/".join(variable.path.split("/")[-2:]): pair
        for variable, *pair in zip(variables, before, after, strict=True)
    }


def test_a_kernel_keeps_its_length_and_moves_by_the_learning_rate(model: Any) -> None:
    before, after = stepped(model)["whole/kernel"]
    length = np.linalg.norm(before)
    assert np.linalg.norm(after) == pytest.approx(length, rel=1e-4)
    assert np.linalg.norm(after - before) == pytest.approx(SHARE * length, rel=0.02)


def test_all_directions_of_a_kernels_step_are_alike(model: Any) -> None:
    before, after = stepped(model)["whole/kernel"]
    strengths = np.linalg.svd((after - before).reshape(-1, 16), compute_uv=False)
    assert strengths.max() < 3 * strengths.min(), "the gradient's own are a hundredfold apart"


def test_steps_do_not_depend_on_the_size_of_gradients(model: Any) -> None:
    start = model.get_weights()
    usual = stepped(model)
    model.set_weights(start)
    for path, (_, after) in stepped(model, scale=1000.0).items():
        assert after == pytest.approx(usual[path][1], abs=1e-4), path


@pytest.mark.parametrize(
    "path", ["depthwise/kernel", "normal/gamma", "normal/beta", "logits/kernel"]
)
def test_what_is_no_matrix_and_the_last_layer_move_as_with_adamw(model: Any, path: str) -> None:
    before, after = stepped(model)[path]
    # The first step of Adam goes the same way in every place: by its learning rate.
    assert np.abs(after - before) == pytest.approx(np.full(before.shape, 0.15 * SHARE), rel=0.01)
