"""What is said of files before any is made."""

from __future__ import annotations

import pytest

from edge_runtime.spec import ImageInput
from export.plan import not_raw
from export.variants import Io, select

EQUAL = ImageInput(8, 8, "rgb", (127.5,) * 3, (127.5,) * 3)
IMAGENET = ImageInput(8, 8, "rgb", (123.675, 116.28, 103.53), (58.395, 57.12, 57.375))


@pytest.mark.parametrize(
    ("io", "name"), [("uint8", "int8.tflite"), ("int8", "int8-io-int8.tflite")]
)
def test_who_scales_each_channel_otherwise_is_told_that_raw_pixels_cannot_go_in(
    io: Io, name: str
) -> None:
    (said,) = not_raw(select(["int8"], io=io), IMAGENET)
    assert said.startswith(
        f"raw pixels cannot go into {name}: mean and std differ between channels"
    )
    assert said.endswith("other programs have to normalise and quantize pixels themselves")


def test_where_all_channels_scale_alike_or_floats_go_in_there_is_nothing_to_say() -> None:
    assert not [*not_raw(select(["int8"]), EQUAL)]
    for others in (select(["int8"], io="float32"), select(["float32", "int16x8"])):
        assert not [*not_raw(others, IMAGENET)]
