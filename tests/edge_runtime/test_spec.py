from __future__ import annotations

import json
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_runtime import spec as schema
from edge_runtime.errors import SpecError
from edge_runtime.spec import (
    Calibration,
    Decision,
    ImageInput,
    ModelSpec,
    Parity,
    Provenance,
    Reference,
    Variant,
)

GOLDEN = Path(__file__).parents[1] / "golden" / "spec.json"

FULL = ModelSpec(
    name="fashion-mnist",
    labels=("T-shirt/top", "Trouser", "Ankle boot", "Čižma", "靴"),
    image=ImageInput(
        height=28,
        width=20,
        color="rgb",
        mean=(123.675, 116.28, 103.53),
        std=(58.395, 57.12, 57.375),
        fit="pad",
        resampling="lanczos",
        polarity="light-on-dark",
        trim=True,
    ),
    scores="logits",
    version="2.1",
    decision=Decision(temperature=1.5, threshold=0.6),
    reference=Reference(accuracy=0.93, images=10_000, dataset="Fashion-MNIST, test"),
    variant=Variant(
        format="tflite",
        precision="int8",
        parity=Parity(
            images=10_000,
            agreement=0.995,
            max_score_difference=0.08,
            accuracy=0.929,
            reference_accuracy=0.93,
            accuracy_difference_points=-0.1,
            accuracy_difference_interval_points=(-0.3, 0.1),
            mcnemar_p=0.41,
            top5_agreement=0.999,
            confidence_drift=-0.002,
            worst_class=1,
            worst_class_difference_points=-1.5,
        ),
        calibration=Calibration(
            source="calibration.npz",
            images=500,
            sha256="ab" * 32,
            seed=0,
            pixel_range=(0, 255),
            instability=0.04,
        ),
        golden_tolerance=0.03,
        option="io-int8",
        kept_float=("conv2d_1",),
        min_runtime="TensorFlow Lite 2.3.0",
    ),
    provenance=Provenance(source_sha256="cd" * 32, seed=7, versions={"keras": "3.15.1"}),
)


def document(path: str = "", value: Any = None) -> dict[str, Any]:
    """The golden spec as a JSON object, with the key at the dotted `path` set."""
    whole: dict[str, Any] = json.loads(GOLDEN.read_text(encoding="utf-8"))
    if path:
        *parents, key = path.split(".")
        part = whole
        for parent in parents:
            part = part[parent]
        part[key] = value
    return whole


def refusal(text: str | bytes) -> str:
    with pytest.raises(SpecError) as caught:
        ModelSpec.from_json(text)
    message = str(caught.value)
    assert message.isprintable(), "one line, whatever the file holds"
    assert len(message) < 500
    return message


# --- what may be written is read back ----------------------------------------------------------

PRINTABLE = st.text(
    st.characters(exclude_categories=("C", "Z"), include_characters=" "), max_size=20
)
SHARE = st.floats(0, 1)
NUMBER = st.floats(allow_nan=False, allow_infinity=False)
COUNT = st.integers(0, 2**63)


@st.composite
def images(draw: st.DrawFn) -> ImageInput:
    color = draw(st.sampled_from(get_args(schema.Color)))
    channels = 1 if color == "gray" else 3
    return draw(
        st.builds(
            ImageInput,
            height=st.integers(1, 4096),
            width=st.integers(1, 4096),
            color=st.just(color),
            mean=st.tuples(*[NUMBER] * channels),
            std=st.tuples(*[st.floats(1e-6, 1e6)] * channels),
        )
    )


SPECS = st.builds(
    ModelSpec,
    name=st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}", fullmatch=True),
    labels=st.lists(PRINTABLE.filter(bool), min_size=2, max_size=6, unique=True).map(tuple),
    image=images(),
    version=PRINTABLE,
    decision=st.builds(Decision, temperature=st.floats(1e-3, 1e3), threshold=SHARE),
    reference=st.none() | st.builds(Reference, accuracy=SHARE, images=COUNT, dataset=PRINTABLE),
    variant=st.none()
    | st.builds(
        Variant,
        parity=st.none()
        | st.builds(
            Parity,
            images=COUNT,
            agreement=SHARE,
            max_score_difference=SHARE,
            accuracy=st.none() | SHARE,
            accuracy_difference_interval_points=st.none() | st.tuples(NUMBER, NUMBER),
        ),
        calibration=st.none()
        | st.builds(Calibration, source=PRINTABLE, images=COUNT, sha256=PRINTABLE),
        golden_tolerance=SHARE,
    ),
    provenance=st.builds(
        Provenance,
        source_sha256=st.none() | PRINTABLE,
        seed=st.none() | st.integers(-(2**63), 2**64),
        versions=st.dictionaries(PRINTABLE, PRINTABLE, max_size=3),
    ),
)


@settings(max_examples=40)
@given(SPECS)
def test_every_spec_comes_back_from_its_json(spec: ModelSpec) -> None:
    text = spec.to_json()
    assert ModelSpec.from_json(text) == spec
    assert ModelSpec.from_json(text.encode()) == spec
    assert ModelSpec.from_json(text).to_json() == text


def test_the_golden_spec_of_schema_1_always_loads() -> None:
    assert ModelSpec.from_json(GOLDEN.read_bytes()) == FULL


def test_the_golden_spec_leaves_no_key_out() -> None:
    def keys(part: Any) -> set[tuple[type, str]]:
        if not is_dataclass(part):
            return set()
        own = {(type(part), item.name) for item in fields(part)}
        return own.union(*(keys(getattr(part, item.name)) for item in fields(part)))

    def given_keys(kind: Any, part: dict[str, Any]) -> set[tuple[type, str]]:
        own = {(type(kind), key) for key in part}
        nested = ((getattr(kind, key), value) for key, value in part.items())
        return own.union(*(given_keys(k, v) for k, v in nested if is_dataclass(k)))

    whole = document()
    assert whole.pop("schema") == 1
    assert given_keys(FULL, whole) == keys(FULL)


def test_what_is_left_out_takes_its_default() -> None:
    small = ModelSpec.from_json(
        '{"schema": 1, "name": "halves", "labels": ["a", "b"], "scores": "logits", "image":'
        '{"height": 8, "width": 8, "color": "gray", "mean": [0], "std": [255]}}'
    )
    assert small.image == ImageInput(8, 8, "gray", (0.0,), (255.0,), "stretch", "bilinear", "any")
    assert small.decision == Decision(temperature=1.0, threshold=0.0)
    assert (small.version, small.reference, small.variant) == ("1", None, None)


def test_null_is_the_same_as_left_out_where_a_part_is_optional() -> None:
    assert ModelSpec.from_json(json.dumps(document("reference", None))).reference is None


# --- what is refused, and how it is said -------------------------------------------------------


def test_a_newer_schema_says_what_to_upgrade() -> None:
    newer = document("schema", 2) | {"a key of the future": 1}
    assert refusal(json.dumps(newer)) == (
        "spec: schema 2 is newer than this runtime's 1; upgrade edge_runtime on this machine"
    )


@pytest.mark.parametrize("number", ["1", True, 0, -1, 1.0, None, [1], {}])
def test_a_schema_that_is_no_schema_number_is_refused(number: Any) -> None:
    assert "expected a number such as 1" in refusal(json.dumps(document("schema", number)))


def test_a_missing_schema_is_refused() -> None:
    whole = document()
    del whole["schema"]
    assert "schema is None, expected a number such as 1" in refusal(json.dumps(whole))


@pytest.mark.parametrize(
    "path",
    ["name", "labels", "image", "scores"]
    + [f"image.{key}" for key in ("height", "width", "color", "mean", "std")]
    + ["reference.accuracy", "reference.images", "variant.format", "variant.parity.images"],
)
def test_a_missing_key_is_named_with_its_place(path: str) -> None:
    whole = document()
    *parents, key = path.split(".")
    part = whole
    for parent in parents:
        part = part[parent]
    del part[key]
    place = ".".join(["spec", *parents])
    assert refusal(json.dumps(whole)) == f"spec: {place} lacks the key {key!r}"


@pytest.mark.parametrize("path", ["colour", "image.colour", "variant.parity.colour"])
def test_an_unknown_key_is_named_with_its_place(path: str) -> None:
    place = ".".join(["spec", *path.split(".")[:-1]])
    message = refusal(json.dumps(document(path, 1)))
    assert f"{place} has an unknown key 'colour'" in message
    assert "upgrade edge_runtime" in message


@pytest.mark.parametrize(
    ("path", "value", "complaint"),
    [
        ("name", 3, "spec.name is 3, expected str"),
        ("name", None, "spec.name is None, expected str"),
        ("labels", "ab", "spec.labels must be a list"),
        ("labels", ["a", 1], "spec.labels[1] is 1, expected str"),
        ("labels", {"0": "a"}, "spec.labels must be a list"),
        ("image", [], "spec.image must be an object"),
        ("image.height", 28.0, "spec.image.height is 28.0, expected int"),
        ("image.height", True, "spec.image.height is True, expected int"),
        ("image.height", "28", "spec.image.height is '28', expected int"),
        ("image.mean", 0, "spec.image.mean must be a list"),
        ("image.mean", ["0", 0, 0], "spec.image.mean[0] is '0', expected float"),
        ("image.mean", [True, 0, 0], "spec.image.mean[0] is True, expected float"),
        ("image.trim", 1, "spec.image.trim is 1, expected bool"),
        ("image.color", "grey", "spec.image.color is 'grey', expected one of ['gray', 'rgb']"),
        ("image.fit", ["pad"], "spec.image.fit is ['pad'], expected one of"),
        ("scores", "softmax", "spec.scores is 'softmax', expected one of"),
        ("variant.precision", "int4", "spec.variant.precision is 'int4', expected one of"),
        ("provenance.versions", ["keras"], "spec.provenance.versions must be an object"),
        ("provenance.versions", {"keras": 3}, "spec.provenance.versions.keras is 3, expected str"),
        (
            "provenance.versions",
            {"ke\nras": "3"},
            "a key of spec.provenance.versions is 'ke\\nras'",
        ),
        ("provenance.seed", 1.5, "spec.provenance.seed is 1.5, expected int"),
        (
            "variant.parity.accuracy_difference_interval_points",
            [1, 2, 3],
            "accuracy_difference_interval_points must have 2 values",
        ),
    ],
)
def test_a_value_of_another_type_is_named_with_its_place(
    path: str, value: Any, complaint: str
) -> None:
    assert complaint in refusal(json.dumps(document(path, value)))


@pytest.mark.parametrize(
    ("path", "value", "complaint"),
    [
        ("name", "", "name ''"),
        ("name", "my model", "name 'my model'"),
        ("name", "-model", "name '-model'"),
        ("name", "../model", "name '../model'"),
        ("name", "model\n", "spec.name is 'model\\n', expected printable characters"),
        ("name", "m" * 101, "must be letters"),
        ("labels", [], "0 label(s)"),
        ("labels", ["bag"], "1 label(s): a classifier has two or more"),
        ("labels", ["bag", "bag"], "labels must differ"),
        ("labels", ["bag", ""], "label '' must be 1 to 200 printable"),
        ("labels", ["bag", "x" * 201], "must be 1 to 200 printable"),
        ("labels", ["bag", "a\nb"], "expected printable characters"),
        ("labels", ["bag", "\x1b[2J"], "expected printable characters"),
        ("labels", ["bag", "\ud800"], "expected printable characters"),
        ("version", "1\r2", "spec.version is '1\\r2', expected printable"),
        ("reference.dataset", "\x1b]0;title\x07", "spec.reference.dataset"),
        ("image.height", 0, "image size 0 x 20 is outside 1..4096"),
        ("image.width", 4097, "image size 28 x 4097 is outside 1..4096"),
        ("image.mean", [0], "image.mean has 1 values for 3 channel(s)"),
        ("image.mean", [0, 0, 0, 0], "image.mean has 4 values for 3 channel(s)"),
        ("image.std", [], "image.std has 0 values for 3 channel(s)"),
        ("image.std", [1, 0, 1], "image.std must be finite and above 0"),
        ("image.std", [1, -1, 1], "image.std must be finite and above 0"),
        ("decision.temperature", 0, "decision.temperature must be above 0"),
        ("decision.threshold", 1.01, "decision.threshold must be within 0..1"),
        ("decision.threshold", -0.01, "decision.threshold must be within 0..1"),
    ],
)
def test_a_value_that_makes_no_sense_is_refused(path: str, value: Any, complaint: str) -> None:
    assert complaint in refusal(json.dumps(document(path, value)))


def test_the_dataclasses_refuse_the_same_nonsense() -> None:
    with pytest.raises(SpecError, match=r"image\.mean must be finite"):
        ImageInput(8, 8, "gray", (float("nan"),), (1.0,))
    with pytest.raises(SpecError, match=r"image\.std must be finite"):
        ImageInput(8, 8, "gray", (0.0,), (float("inf"),))
    with pytest.raises(SpecError, match="temperature"):
        Decision(temperature=float("nan"))
    with pytest.raises(SpecError, match="threshold"):
        Decision(threshold=float("nan"))


def test_a_key_given_twice_is_refused() -> None:
    twice = GOLDEN.read_text(encoding="utf-8").replace('"height"', '"width": 1, "height"')
    assert "a key is given twice" in refusal(twice)


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999", "-1e999", "9" * 400])
@pytest.mark.parametrize("key", ["golden_tolerance", "height"])
def test_a_number_that_is_none_is_refused(key: str, number: str) -> None:
    given = document("variant.golden_tolerance", 7) | {"image": document()["image"] | {"height": 7}}
    refusal(json.dumps(given).replace(f'"{key}": 7', f'"{key}": {number}'))


@pytest.mark.parametrize(
    "text",
    ["", "{", "null", "[]", "3", "[" * 100_000, '{"schema": 1}', b"\xff\xfe", b"\x00", "\ufeff{}"],
)
def test_what_is_no_spec_is_refused(text: str | bytes) -> None:
    refusal(text)


def test_a_spec_of_more_than_a_mebibyte_is_refused_unread() -> None:
    assert "too large to be a spec" in refusal(" " * (schema.MAX_SPEC_BYTES + 1))


@given(st.text() | st.binary())
def test_junk_is_refused_as_a_spec_and_crashes_nothing(text: str | bytes) -> None:
    refusal(text)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)
PLACES = ["name", "labels", "image", "image.height", "image.mean", "image.fit", "decision"]
PLACES += ["variant.parity", "variant.parity.agreement", "provenance.versions", "reference"]


@given(st.sampled_from(PLACES), JSON)
def test_any_json_in_any_place_is_read_or_refused(path: str, value: Any) -> None:
    text = json.dumps(document(path, value))
    try:
        read = ModelSpec.from_json(text)
    except SpecError:
        refusal(text)
    else:
        assert ModelSpec.from_json(read.to_json()) == read
