"""Changed pictures: what may change, how far, and by the seed alone."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

pytestmark = pytest.mark.slow


def noise(count: int) -> NDArray[np.uint8]:
    """Pictures of 8 x 6 pixels."""
    return np.random.default_rng(0).integers(0, 256, (count, 8, 6, 1), np.uint8)


def test_augmented_pictures_keep_their_shape_and_are_changed_one_by_one() -> None:
    from train.augment import augment

    images = np.full((64, 8, 6, 1), 200, np.uint8)

    def changed(seed: int) -> Any:
        return np.asarray(augment(images, (0, seed), mirrors=True, pixels=2, erased=0.25))

    once = changed(1)
    assert (once.shape, once.dtype) == (images.shape, np.uint8)
    assert len({image.tobytes() for image in once}) > 20
    assert np.array_equal(once, changed(1))
    assert not np.array_equal(once, changed(2))


def test_a_mirrored_picture_is_the_picture_or_its_mirror_image() -> None:
    from train.augment import mirror

    images = noise(64)
    mirrored = np.asarray(mirror(images, (0, 0)))
    flipped = [np.array_equal(new, old[:, ::-1]) for new, old in zip(mirrored, images, strict=True)]
    kept = [np.array_equal(new, old) for new, old in zip(mirrored, images, strict=True)]
    assert 10 < sum(flipped) < 54
    assert sum(flipped) + sum(kept) == 64


@pytest.mark.parametrize("pixels", [1, 2])
def test_a_shifted_picture_is_one_of_the_crops_of_the_picture_with_a_black_edge(
    pixels: int,
) -> None:
    from train.augment import shift

    images = noise(300)
    edge = ((0, 0), (pixels, pixels), (pixels, pixels), (0, 0))
    windows = np.lib.stride_tricks.sliding_window_view(np.pad(images, edge), (8, 6), axis=(1, 2))
    crops = windows.reshape(300, -1, 8, 6, 1)
    shifted = np.asarray(shift(images, (0, 0), pixels))
    found = (crops == shifted[:, None]).all(axis=(2, 3, 4))
    assert found.shape == (300, (2 * pixels + 1) ** 2)
    assert (found.sum(axis=1) == 1).all()
    assert found.any(axis=0).all(), "every crop occurs"


def test_an_erased_picture_lost_a_rectangle_of_2_to_25_per_cent_to_noise() -> None:
    from train.augment import augment

    images = np.full((200, 100, 60, 1), 128, np.uint8)
    erased = np.asarray(augment(images, (0, 0), mirrors=False, pixels=0, erased=1.0))
    shares, centres = [], []
    for changed in (erased != images)[..., 0]:
        rows, columns = (np.flatnonzero(changed.any(axis=axis)) for axis in (1, 0))
        rectangle = np.s_[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
        assert changed[rectangle].mean() > 0.95  # noise may be of the same grey
        shares.append(changed[rectangle].size / changed.size)
        centres.append((rows.mean() / 100, columns.mean() / 60))
    assert 0.015 < min(shares) < 0.05, "whole pixels are a little more or less"
    assert 0.2 < max(shares) < 0.265
    assert np.min(centres, axis=0) == pytest.approx(0.1, abs=0.1)
    assert np.max(centres, axis=0) == pytest.approx(0.9, abs=0.1)


@pytest.mark.parametrize(("share", "fewest", "most"), [(0.0, 0, 0), (0.25, 70, 130), (1, 400, 400)])
def test_so_many_pictures_are_erased_and_the_others_left_alone(
    share: float, fewest: int, most: int
) -> None:
    from train.augment import augment, erase

    images = np.full((400, 28, 28, 1), 128, np.uint8)
    for erased in (
        erase(images, (0, 0), share),
        augment(images, (0, 0), mirrors=True, pixels=0, erased=share),
    ):
        changed = (np.asarray(erased) != images).any(axis=(1, 2, 3))
        assert fewest <= changed.sum() <= most


def test_mixup_blends_pictures_and_labels_in_the_same_shares() -> None:
    from train.augment import mix

    images = np.random.default_rng(0).random((64, 4, 4, 1), np.float32)
    labels = np.eye(64, dtype=np.float32)
    blended, classes = (np.asarray(each) for each in mix(images, labels, (0, 1), 1.0))
    own = np.diag(classes)
    assert classes.sum(axis=1) == pytest.approx(1, abs=1e-5)
    assert own.min() >= 0.5
    assert own.std() > 0.1
    assert blended == pytest.approx(np.tensordot(classes, images, axes=1), abs=1e-5)
    again, _ = mix(images, labels, (0, 1), 1.0)
    assert np.array_equal(blended, np.asarray(again))
