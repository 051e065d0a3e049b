from __future__ import annotations

import io
import random
import tracemalloc
import zipfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_runtime import Classifier, modelfile
from edge_runtime.errors import DamagedModelError, EdgeError, ModelError, SpecError, UsageError
from edge_runtime.modelfile import ModelFile, protobuf

# The bytes of a file are checked behind `read`, thousands of times, without a disk.
CHECKERS: dict[str, Callable[[Path, bytes], ModelFile]] = {
    ".tflite": modelfile._read_tflite,
    ".onnx": modelfile._read_onnx,
}


def check(path: Path, data: bytes) -> ModelFile:
    return CHECKERS[path.suffix](path, data)


def without_seal(file: ModelFile) -> bytes:
    """The model as it was before anything of ours was put into it."""
    assert file.spec is not None
    if file.format == "tflite":
        with zipfile.ZipFile(io.BytesIO(file.data)) as archive:
            end = min(entry.header_offset for entry in archive.infolist())
    else:
        key = file.data.index(b"edge_runtime.spec")  # in the first field that sealing appended
        starts = range(key - 8, key)
        end = max(n for n in starts if exhausted(protobuf.delimited(file.data[:n])))
    return file.data[:end].replace(modelfile.SEAL_MARK.encode(), b"made-by-someone-els")


def sealed_anew(path: Path) -> bytes:
    file = modelfile.read(path)
    assert file.spec is not None
    seal = modelfile.seal_tflite if file.format == "tflite" else modelfile.seal_onnx
    return seal(without_seal(file), file.spec, file.golden)


# --- sealed files ------------------------------------------------------------------------------


def test_a_sealed_file_says_what_it_is(sealed_path: Path) -> None:
    file = modelfile.read(sealed_path)
    name, precision, form = sealed_path.name.split(".")
    assert file.sealed
    assert file.data == sealed_path.read_bytes()
    assert file.spec is not None
    assert file.spec.name == name
    assert file.spec.labels == (
        ("top", "bottom", "left", "right") if name == "halves" else ("red", "green", "blue")
    )
    assert file.spec.variant is not None
    assert (file.format, file.spec.variant.name) == (form, f"{precision}.{form}")
    assert file.golden is not None


def test_sealing_gives_the_same_bytes_every_time(sealed_path: Path) -> None:
    assert sealed_anew(sealed_path) == sealed_anew(sealed_path)


def test_sealing_keeps_spec_and_golden_samples(sealed_path: Path) -> None:
    old, new = modelfile.read(sealed_path), check(sealed_path, sealed_anew(sealed_path))
    assert new.sealed
    assert (new.spec, new.golden) == (old.spec, old.golden)


def test_golden_samples_may_be_left_out(sealed_path: Path) -> None:
    file = modelfile.read(sealed_path)
    assert file.spec is not None
    seal = modelfile.seal_tflite if file.format == "tflite" else modelfile.seal_onnx
    sealed = check(sealed_path, seal(without_seal(file), file.spec, None))
    assert sealed.sealed
    assert sealed.golden is None


def test_any_zip_program_reads_the_labels_of_a_tflite_file(models: Path) -> None:
    with zipfile.ZipFile(models / "halves.int8.tflite") as archive:
        assert archive.read("labels.txt") == b"top\nbottom\nleft\nright\n"
        assert archive.testzip() is None
        assert {entry.date_time for entry in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}


# --- damage ------------------------------------------------------------------------------------


FLIPS = pytest.mark.parametrize("mask", [0x01, 0xFF], ids=["one bit", "all bits"])


def assert_flips_are_noticed(path: Path, positions: Iterable[int], mask: int) -> None:
    data = bytearray(path.read_bytes())
    for position in positions:
        data[position] ^= mask
        with pytest.raises((DamagedModelError, SpecError)):
            check(path, bytes(data))
        data[position] ^= mask


@FLIPS
def test_a_flipped_byte_somewhere_is_noticed(sealed_path: Path, mask: int) -> None:
    size = sealed_path.stat().st_size
    somewhere = random.Random(mask).sample(range(size), 100)  # noqa: S311
    assert_flips_are_noticed(sealed_path, {0, size - 1, *somewhere}, mask)


@pytest.mark.slow
@FLIPS
def test_a_flipped_byte_anywhere_is_noticed(sealed_path: Path, mask: int) -> None:
    assert_flips_are_noticed(sealed_path, range(sealed_path.stat().st_size), mask)


def test_a_file_cut_short_anywhere_is_damaged(sealed_path: Path) -> None:
    data = sealed_anew(sealed_path)
    for length in range(1, len(data)):
        with pytest.raises(DamagedModelError):
            check(sealed_path, data[:length])


def test_a_file_with_bytes_added_is_damaged(sealed_path: Path) -> None:
    data = sealed_anew(sealed_path)
    for more in (b"\0", b"\n", b"\0" * 4096, data):
        with pytest.raises(DamagedModelError):
            check(sealed_path, data + more)


def test_a_file_of_zeros_is_damaged(sealed_path: Path) -> None:
    """What a power cut leaves on some file systems: the right size, and nothing in it."""
    data = sealed_anew(sealed_path)
    for zeros in (len(data), len(data) // 2, 512):
        with pytest.raises(DamagedModelError):
            check(sealed_path, b"\0" * zeros + data[zeros:])
        with pytest.raises(DamagedModelError):
            check(sealed_path, data[:-zeros] + b"\0" * zeros)


def test_damage_on_disk_is_one_line_and_never_reaches_an_engine(
    sealed_path: Path, tmp_path: Path
) -> None:
    path = tmp_path / sealed_path.name
    original = sealed_path.read_bytes()
    places = range(0, len(original), len(original) // 40)
    flipped = [original[:n] + bytes([original[n] ^ 0x80]) + original[n + 1 :] for n in places]
    for data in [*flipped, *(original[:n] for n in places)]:
        path.write_bytes(data)
        with pytest.raises(ModelError) as caught:
            Classifier.open(path)
        assert str(caught.value).startswith(str(path))
        assert str(caught.value).isprintable()


def test_the_message_says_that_it_is_damaged_and_what_to_do(models: Path, tmp_path: Path) -> None:
    data = sealed_anew(models / "halves.int8.tflite")
    path = tmp_path / "halves.int8.tflite"
    path.write_bytes(data[:-1000])
    with pytest.raises(DamagedModelError, match=r"is cut short .*; copy it again$"):
        modelfile.read(path)
    path.write_bytes(data[:3000] + bytes([data[3000] ^ 1]) + data[3001:])
    with pytest.raises(DamagedModelError, match=r"its digest does not match; copy it again$"):
        modelfile.read(path)


# --- files that are no model -------------------------------------------------------------------


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"cannot read .*boot\.tflite: No such file"):
        modelfile.read(tmp_path / "boot.tflite")


@pytest.mark.parametrize("name", ["m.tflite", "m.onnx"])
def test_an_empty_file_is_damaged(tmp_path: Path, name: str) -> None:
    (tmp_path / name).touch()
    with pytest.raises(DamagedModelError, match="is empty; copy it again"):
        modelfile.read(tmp_path / name)


@pytest.mark.parametrize("name", ["m.tflite", "m.onnx"])
def test_a_folder_is_no_model(tmp_path: Path, name: str) -> None:
    (tmp_path / name).mkdir()
    with pytest.raises(ModelError, match="Is a directory"):
        modelfile.read(tmp_path / name)


@pytest.mark.parametrize("name", ["m.tflite", "m.onnx"])
@pytest.mark.parametrize(
    "data", [b"\x89PNG\r\n\x1a\n" + b"x" * 99, b"<html>not found</html>", b"x", b"\x08"]
)
def test_another_kind_of_file_under_a_models_name_is_damaged(
    tmp_path: Path, name: str, data: bytes
) -> None:
    (tmp_path / name).write_bytes(data)
    with pytest.raises(DamagedModelError):
        modelfile.read(tmp_path / name)


def test_a_keras_file_says_to_export_it(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"run `python -m export .*runs.mlp`"):
        modelfile.read(tmp_path / "runs" / "mlp" / "model.keras")


@pytest.mark.parametrize("name", ["model", "model.pb", "model.tflite.gz", ".tflite"])
def test_another_suffix_says_which_are_expected(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"x")
    with pytest.raises(ModelError, match=r"expected a \.tflite or \.onnx file"):
        modelfile.read(tmp_path / name)


def test_the_case_of_the_suffix_does_not_matter(models: Path, tmp_path: Path) -> None:
    shouted = tmp_path / "HALVES.TFLITE"
    shouted.write_bytes((models / "halves.int8.tflite").read_bytes())
    assert modelfile.read(shouted).sealed


def test_a_file_too_large_to_be_a_model_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "huge.tflite"
    with path.open("wb") as file:
        file.truncate(modelfile.MAX_MODEL_BYTES + 1)  # a hole: it takes no room
    with pytest.raises(ModelError, match="larger than 1024 MiB"):
        modelfile.read(path)


# --- models made by others ---------------------------------------------------------------------


def test_a_model_made_by_others_is_read_without_spec(sealed_path: Path) -> None:
    foreign = check(sealed_path, without_seal(modelfile.read(sealed_path)))
    assert not foreign.sealed
    assert (foreign.spec, foreign.golden) == (None, None)


def test_a_model_without_spec_is_not_guessed_at(sealed_path: Path, tmp_path: Path) -> None:
    path = tmp_path / sealed_path.name
    path.write_bytes(without_seal(modelfile.read(sealed_path)))
    with pytest.raises(UsageError, match="no labels inside or beside it; add --labels FILE"):
        Classifier.open(path)


@pytest.fixture
def with_archive(models: Path) -> Callable[[bytes], ModelFile]:
    """A function: bytes of an archive → what is read from a foreign .tflite that ends in them."""
    path = models / "halves.int8.tflite"
    flatbuffer = without_seal(modelfile.read(path))
    return lambda archive: check(path, flatbuffer + archive)


def archive_of(name: str, content: bytes, method: int = zipfile.ZIP_DEFLATED) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        archive.writestr(name, content)
    return file.getvalue()


def test_an_archive_of_others_is_none_of_our_business(
    with_archive: Callable[[bytes], ModelFile],
) -> None:
    assert with_archive(archive_of("labels.txt", b"a\nb\n")).spec is None


def test_a_newer_spec_inside_names_the_file(with_archive: Callable[[bytes], ModelFile]) -> None:
    with pytest.raises(SpecError, match=r"halves\.int8\.tflite: spec: schema 9 is newer"):
        with_archive(archive_of("spec.json", b'{"schema": 9}'))


def test_a_spec_that_unpacks_to_too_much_is_refused(
    with_archive: Callable[[bytes], ModelFile],
) -> None:
    with pytest.raises(SpecError, match=r"spec\.json inside the model file is larger than"):
        with_archive(archive_of("spec.json", b" " * (2 << 20)))


def test_golden_samples_that_unpack_to_too_much_are_refused(
    with_archive: Callable[[bytes], ModelFile],
) -> None:
    with pytest.raises(SpecError, match=r"golden\.npz inside the model file is larger than"):
        with_archive(
            archive_of("golden.npz", bytes(modelfile.MAX_GOLDEN_BYTES + 1), zipfile.ZIP_STORED)
        )


def test_an_archive_that_lies_about_its_size_takes_no_memory(
    with_archive: Callable[[bytes], ModelFile],
) -> None:
    bomb = archive_of("spec.json", b" " * (50 << 20))
    size = (50 << 20).to_bytes(4, "little")
    assert bomb.count(size) == 2, "in the entry's own header and in the directory"
    tracemalloc.start()
    try:
        with pytest.raises(DamagedModelError, match="archive at its end is damaged"):
            with_archive(bomb.replace(size, (100).to_bytes(4, "little")))
        assert tracemalloc.get_traced_memory()[1] < 10 << 20
    finally:
        tracemalloc.stop()


def test_a_damaged_archive_behind_a_foreign_model_is_an_expected_error(
    with_archive: Callable[[bytes], ModelFile], models: Path
) -> None:
    spec = modelfile.read(models / "halves.int8.tflite").spec
    assert spec is not None
    archive = archive_of("spec.json", spec.to_json().encode())
    assert with_archive(archive).spec == spec
    randomness = random.Random(0)  # noqa: S311
    for _ in range(1500):
        damaged = bytearray(archive)
        for _ in range(randomness.choice((1, 2, 8))):
            damaged[randomness.randrange(len(damaged))] = randomness.randrange(256)
        try:
            read = with_archive(bytes(damaged)).spec
        except EdgeError:
            continue
        assert read in (spec, None), "a name or date may change; the spec's CRC guards the rest"


# --- protobuf ----------------------------------------------------------------------------------


@given(st.binary(max_size=200))
def test_protobuf_junk_is_walked_or_refused_with_a_value_error(data: bytes) -> None:
    walked = exhausted(protobuf.delimited(data))
    assert walked is None or all(number > 0 for number, _ in walked)


def exhausted(fields: Iterator[tuple[int, bytes]]) -> list[tuple[int, bytes]] | None:
    try:
        return list(fields)
    except ValueError:
        return None


@given(st.lists(st.tuples(st.integers(1, 2**29 - 1), st.binary(max_size=300)), max_size=5))
def test_protobuf_fields_come_back_as_they_were_written(fields: list[tuple[int, bytes]]) -> None:
    data = b"".join(protobuf.write(number, value) for number, value in fields)
    assert list(protobuf.delimited(data)) == fields


def test_numbers_and_fixed_fields_are_stepped_over() -> None:
    number = bytes([1 << 3 | 0, 0xAC, 0x02])
    fixed64 = bytes([2 << 3 | 1, *range(8)])
    fixed32 = bytes([3 << 3 | 5, *range(4)])
    text = bytes([4 << 3 | 2, 2]) + b"hi"
    assert list(protobuf.delimited(number + fixed64 + fixed32 + text)) == [(4, b"hi")]


@pytest.mark.parametrize(
    ("data", "complaint"),
    [
        (b"\x0a\x05ab", "cut short inside a field"),
        (b"\x09\x01", "cut short inside a field"),
        (b"\x08", "cut short inside a number"),
        (b"\x08" + b"\xff" * 11, "more than ten bytes"),
        (b"\x0b", "wire type 3"),
        (b"\x00\x00", "field 0"),
    ],
)
def test_protobuf_damage_is_named(data: bytes, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        list(protobuf.delimited(data))


def test_onnx_golden_samples_that_are_no_base64_are_damage(models: Path) -> None:
    path = models / "halves.int8.onnx"
    foreign = without_seal(modelfile.read(path))
    with pytest.raises(DamagedModelError, match="not a whole ONNX file"):
        check(path, foreign + modelfile._onnx_property("edge_runtime.golden", "?"))


# --- Keras files -------------------------------------------------------------------------------


@pytest.fixture
def keras_file(tmp_path: Path) -> Path:
    path = tmp_path / "model.keras"
    path.write_bytes(archive_of("config.json", b"{}"))
    return path


def test_a_keras_file_carries_a_spec(keras_file: Path, models: Path) -> None:
    spec = modelfile.read(models / "halves.int8.onnx").spec
    assert spec is not None
    assert modelfile.read_keras_spec(keras_file) is None
    keras_file.write_bytes(modelfile.add_keras_spec(keras_file.read_bytes(), spec))
    assert modelfile.read_keras_spec(keras_file) == spec
    with zipfile.ZipFile(keras_file) as archive:
        assert archive.namelist() == ["config.json", "spec.json"]


@pytest.mark.parametrize("damage", [b"", b"PK", b"\x89HDF\r\n\x1a\n"])
def test_what_is_no_keras_file_is_an_error(keras_file: Path, damage: bytes) -> None:
    keras_file.write_bytes(damage)
    with pytest.raises(ModelError, match=r"is not a readable \.keras file"):
        modelfile.read_keras_spec(keras_file)


def test_a_missing_keras_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="No such file"):
        modelfile.read_keras_spec(tmp_path / "model.keras")


def test_a_bad_spec_in_a_keras_file_names_the_file(keras_file: Path) -> None:
    keras_file.write_bytes(archive_of("spec.json", b"{}"))
    with pytest.raises(SpecError, match=r"model\.keras: spec: schema is None"):
        modelfile.read_keras_spec(keras_file)
