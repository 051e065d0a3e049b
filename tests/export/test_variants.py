from __future__ import annotations

from typing import Any, get_args

import pytest

from edge_runtime.errors import UsageError
from edge_runtime.spec import Format, Precision
from export.variants import USUAL, VARIANTS, fitting, select


def names(*terms: str) -> list[str]:
    return [variant.name for variant in select(terms)]


def test_the_table_names_every_variant_once_and_in_words_the_spec_knows() -> None:
    assert len({variant.name for variant in VARIANTS}) == len(VARIANTS)
    for variant in VARIANTS:
        assert variant.format in get_args(Format)
        assert variant.precision in get_args(Precision)


def test_no_terms_mean_the_six_usual_variants() -> None:
    assert select() == USUAL
    assert [variant.name for variant in USUAL] == [
        *("float32.tflite", "float16.tflite", "dynamic.tflite", "int8.tflite"),
        *("float32.onnx", "int8.onnx"),
    ]
    assert select(everything=True) == VARIANTS


def test_a_term_is_a_name_with_or_without_its_format_or_a_format() -> None:
    assert names("int8.tflite") == ["int8.tflite"]
    assert names("int8") == ["int8.tflite", "int8.onnx"]
    assert names("onnx") == ["float32.onnx", "int8.onnx"]
    assert names("int16x8") == ["int16x8.tflite"]
    assert names("int8-arm") == ["int8-arm.onnx"]


def test_terms_add_up_in_the_order_of_the_table() -> None:
    assert names("int8.onnx", "float32") == ["float32.tflite", "float32.onnx", "int8.onnx"]


def test_a_term_that_means_nothing_suggests_the_nearest_and_names_all() -> None:
    with pytest.raises(UsageError, match=r"no variant 'int8.tflit'; did you mean 'int8.tflite'\?"):
        select(["int8.tflit"])
    with pytest.raises(UsageError, match=r"Choose from float32.tflite, .*, int8-arm.onnx"):
        select(["onnx", "zzz"])


def test_another_type_or_processor_takes_the_usual_ones_place() -> None:
    chosen = [variant.name for variant in select(["int8"], io="int8", target="x86")]
    assert chosen == ["int8-io-int8.tflite", "int8-x86.onnx"]
    assert "int8.tflite" not in [variant.name for variant in select(io="float32")]


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        (
            {"io": "int8"},
            r"--io int8 changes int8.tflite only, which --only leaves out \(it makes f",
        ),
        (
            {"io": "float32"},
            "--io float32 changes int8.tflite only, .*; add it to --only, or leave",
        ),
        ({"target": "arm"}, "--target arm changes int8.onnx only, which --only leaves out"),
    ],
)
def test_a_flag_that_would_change_nothing_is_refused(asked: dict[str, str], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        select(["float32", "int16x8"], **asked)  # type: ignore[arg-type]
    assert len(select(["int8"], **asked)) == 2  # type: ignore[arg-type]


def test_some_and_all_are_not_asked_for_at_once() -> None:
    with pytest.raises(UsageError, match="--all makes every variant and --only some"):
        select(["int8"], everything=True)


@pytest.mark.parametrize(
    ("chosen", "flags"),
    [
        ({"io": "int8"}, "--io int8"),
        ({"target": "arm"}, "--target arm"),
        ({"io": "float32", "rgb": True}, "--io float32 and --rgb"),
    ],
)
def test_where_all_are_made_there_is_nothing_to_choose(chosen: dict[str, Any], flags: str) -> None:
    words = f"--all makes every variant, those of {flags} too; leave out {flags}$"
    with pytest.raises(UsageError, match=words):
        select(everything=True, **chosen)


def test_rgb_adds_a_variant() -> None:
    assert [variant.name for variant in select(["int8.onnx"], rgb=True)] == [
        *("int8.onnx", "int8-rgb.tflite")
    ]
    assert len(select(rgb=True)) == len(USUAL) + 1


def test_a_model_that_takes_rgb_needs_no_variant_for_it() -> None:
    assert fitting(VARIANTS, "gray") == VARIANTS
    assert not any(variant.rgb for variant in fitting(VARIANTS, "rgb"))
    with pytest.raises(UsageError, match="the model takes RGB as it is"):
        fitting(select(rgb=True), "rgb")


def test_of_a_model_that_rounds_only_what_is_not_the_int8_file_again_is_made() -> None:
    made = fitting(USUAL, "gray", rounds=True)
    assert [variant.name for variant in made] == [
        *("float32.tflite", "int8.tflite", "float32.onnx", "int8.onnx")
    ]
    with pytest.raises(UsageError, match="ask for float32 or int8 files of it"):
        fitting(select(["float16", "dynamic"]), "gray", rounds=True)


def test_only_integer_activations_need_calibration_pictures() -> None:
    without = {variant.name for variant in VARIANTS if not variant.needs_calibration}
    assert without == {"float32.tflite", "float16.tflite", "dynamic.tflite", "float32.onnx"}
