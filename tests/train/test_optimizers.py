"""Steps of the optimizers, and the schedule of their learning rate."""

from __future__ import annotations

import numpy as np
import pytest

from train.config import Optimizer, TrainConfig

pytestmark = pytest.mark.slow

RATE = 0.1


def moved(optimizer: Optimizer, gradient: float, *, decay: float, steps: int) -> dict[str, float]:
    """Where the weights of a small model, all 1 at first, end after steps with this gradient."""
    import keras

    from train import optimizers

    layers = keras.layers
    model = keras.Sequential(
        [
            keras.Input((5, 5, 2)),
            layers.Conv2D(4, 3, name="convolution"),
            layers.BatchNormalization(name="normal"),
            layers.DepthwiseConv2D(3, name="depthwise"),
            layers.Flatten(),
            layers.Dense(3, name="logits"),
        ]
    )
    model.set_weights([np.ones_like(each) for each in model.get_weights()])
    config = TrainConfig(optimizer=optimizer, weight_decay=decay)
    chosen = optimizers.optimizer(model, config, RATE)
    variables = model.trainable_variables
    for _ in range(steps):
        chosen.apply([keras.ops.full(each.shape, gradient) for each in variables], variables)
    return {
        "/".join(variable.path.split("/")[-2:]): float(value)
        for variable in variables
        for value in np.unique(variable.numpy())
    }


@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_weight_decay_shrinks_kernels_and_nothing_else(optimizer: Optimizer) -> None:
    for name, value in moved(optimizer, 0.0, decay=0.2, steps=1).items():
        assert value == (pytest.approx(1 - RATE * 0.2) if name.endswith("kernel") else 1.0), name


def test_sgd_looks_ahead_with_a_momentum_of_0_9() -> None:
    velocity, weight = 0.0, 1.0
    for _ in range(2):
        velocity = 0.9 * velocity - RATE * 0.5
        weight += 0.9 * velocity - RATE * 0.5  # Nesterov's
    for name, value in moved("sgd", 0.5, decay=0.0, steps=2).items():
        assert value == pytest.approx(weight), name


def test_one_cycle_climbs_to_the_learning_rate_and_falls_to_nothing() -> None:
    from train import optimizers

    config = TrainConfig(schedule="one-cycle", learning_rate=0.2)
    schedule = optimizers.schedule(config, 100, 0.2)
    rates = [float(schedule(step)) for step in (0, 25, 60, 100)]
    assert rates[1] == pytest.approx(0.2)
    assert rates[0] < 0.01 < rates[2] < 0.2
    assert rates[3] == pytest.approx(0, abs=1e-9)
