from __future__ import annotations

from typing import get_args

import pytest

from edge_runtime.errors import UsageError
from edge_runtime.spec import Format, Precision, Variant
from export.variants import VARIANTS, select


def names(terms: list[str]) -> list[str]:
    return [variant.name for variant in select(terms)]


def test_the_table_names_every_variant_once_and_in_words_the_spec_knows() -> None:
    assert len({variant.name for variant in VARIANTS}) == len(VARIANTS)
    for variant in VARIANTS:
        assert variant.format in get_args(Format)
        assert variant.precision in get_args(Precision)
        assert variant.name == Variant(variant.format, variant.precision).name


def test_no_terms_mean_all_variants() -> None:
    assert select([]) == VARIANTS


def test_a_term_is_a_name_a_precision_or_a_format() -> None:
    assert names(["int8.tflite"]) == ["int8.tflite"]
    assert names(["int8"]) == ["int8.tflite", "int8.onnx"]
    assert names(["onnx"]) == ["float32.onnx", "int8.onnx"]


def test_terms_add_up_in_the_order_of_the_table() -> None:
    assert names(["int8.onnx", "float32"]) == ["float32.tflite", "float32.onnx", "int8.onnx"]


def test_a_term_that_means_nothing_suggests_the_nearest_and_names_all() -> None:
    with pytest.raises(UsageError, match=r"no variant 'int8.tflit'; did you mean 'int8.tflite'\?"):
        select(["int8.tflit"])
    with pytest.raises(UsageError, match=r"Choose from float32.tflite, .*, int8.onnx"):
        select(["onnx", "zzz"])


def test_only_integer_activations_need_calibration_pictures() -> None:
    needing = {variant.name for variant in VARIANTS if variant.needs_calibration}
    assert needing == {"int8.tflite", "int8.onnx"}
