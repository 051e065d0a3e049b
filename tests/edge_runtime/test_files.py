from __future__ import annotations

import os
import random
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from edge_runtime.errors import OutputError
from edge_runtime.files import new_directory, refuse_existing, write_atomically


def left_behind(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*") if path.name.endswith((".tmp", ".old")))


# --- files -------------------------------------------------------------------------------------


def test_a_file_is_written_with_the_folders_it_needs(tmp_path: Path) -> None:
    path = tmp_path / "new" / "deep" / "model.tflite"
    write_atomically(path, b"bytes")
    assert path.read_bytes() == b"bytes"
    assert left_behind(tmp_path) == []


def test_the_umask_decides_who_may_read_it(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        write_atomically(tmp_path / "file", b"")
        with new_directory(tmp_path / "folder"):
            pass
    finally:
        os.umask(before)
    assert (tmp_path / "file").stat().st_mode & 0o777 == 0o640
    assert (tmp_path / "folder").stat().st_mode & 0o777 == 0o750


def test_an_existing_file_is_kept_unless_told_otherwise(tmp_path: Path) -> None:
    path = tmp_path / "model.tflite"
    path.write_bytes(b"old")
    with pytest.raises(OutputError, match=r"exists already; name another place or add --overwrite"):
        write_atomically(path, b"new")
    assert path.read_bytes() == b"old"
    write_atomically(path, b"new", overwrite=True)
    assert path.read_bytes() == b"new"


def test_a_link_that_leads_nowhere_exists_too(tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "gone")
    with pytest.raises(OutputError, match="exists already"):
        refuse_existing(link, overwrite=False)


def test_a_path_under_a_file_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(OutputError, match=r"cannot write .*(Not a directory|File exists)"):
        write_atomically(tmp_path / "file" / "model.tflite", b"x")
    with (
        pytest.raises(OutputError, match=r"cannot write .*(Not a directory|File exists)"),
        new_directory(tmp_path / "file" / "run"),
    ):
        pytest.fail("the block must not be entered")


def test_a_name_that_is_too_long_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="File name too long"):
        write_atomically(tmp_path / ("x" * 300), b"x")
    with (
        pytest.raises(OutputError, match="File name too long"),
        new_directory(tmp_path / ("x" * 300)),
    ):
        pytest.fail("the block must not be entered")


def test_a_file_does_not_replace_a_folder(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(OutputError, match="Is a directory"):
        write_atomically(tmp_path / "folder", b"x", overwrite=True)
    assert left_behind(tmp_path) == []


def test_a_folder_that_cannot_be_written_says_so() -> None:
    # Even root cannot make files here.
    with pytest.raises(OutputError, match=r"cannot write /proc/self/model\.tflite: "):
        write_atomically(Path("/proc/self/model.tflite"), b"x")


FULL_DISK = """
import resource, sys
from pathlib import Path
from edge_runtime import console
from edge_runtime.files import new_directory, write_atomically
resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, 10_000))
path = Path(sys.argv[1])
def into_file():
    write_atomically(path, b"new" * 10_000, overwrite=True)
def into_folder():
    with new_directory(path, overwrite=True) as folder:
        (folder / "small").write_bytes(b"new")
        (folder / "large").write_bytes(b"new" * 10_000)
console.run("tool", into_folder if path.is_dir() else into_file) == 2 or sys.exit(9)
"""


@pytest.mark.parametrize("kind", ["file", "folder"])
def test_a_full_disk_leaves_the_old_and_nothing_else(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "out"
    old = path if kind == "file" else path / "small"
    old.parent.mkdir(exist_ok=True)
    old.write_bytes(b"old")
    done = subprocess.run(
        [sys.executable, "-c", FULL_DISK, str(path)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    (line,) = done.stderr.splitlines()
    assert line == (
        f"tool: error: cannot write {path}: File too large; free some space or name another place"
    )
    assert old.read_bytes() == b"old"
    assert left_behind(tmp_path) == []
    assert sum(1 for _ in tmp_path.rglob("*")) == (1 if kind == "file" else 2)


WRITER = """
import sys
from pathlib import Path
from edge_runtime.files import write_atomically
path = Path(sys.argv[1])
print("ready", flush=True)
while True:
    for letter in (b"a", b"b"):
        write_atomically(path, letter * 300_000, overwrite=True)
"""


def test_a_killed_writer_leaves_the_old_file_or_the_new(tmp_path: Path) -> None:
    path = tmp_path / "model.tflite"
    path.write_bytes(b"a" * 300_000)
    whole = {b"a" * 300_000, b"b" * 300_000}
    randomness = random.Random(0)  # noqa: S311
    for _ in range(12):
        with subprocess.Popen(
            [sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE
        ) as writer:
            assert writer.stdout is not None
            writer.stdout.readline()
            time.sleep(randomness.uniform(0, 0.02))
            writer.kill()
        assert path.read_bytes() in whole


def test_a_reader_never_sees_half_a_file(tmp_path: Path) -> None:
    path = tmp_path / "model.tflite"
    whole = {b"a" * 100_000, b"b" * 100_000}
    path.write_bytes(b"a" * 100_000)
    done = threading.Event()
    seen: list[bool] = []

    def read() -> None:
        while not done.is_set():
            seen.append(path.read_bytes() in whole)

    reader = threading.Thread(target=read)
    reader.start()
    for turn in range(60):
        write_atomically(path, (b"a", b"b")[turn % 2] * 100_000, overwrite=True)
    done.set()
    reader.join()
    assert seen
    assert all(seen)


# --- folders -----------------------------------------------------------------------------------


def test_a_folder_appears_when_it_is_complete(tmp_path: Path) -> None:
    path = tmp_path / "runs" / "mlp"
    with new_directory(path) as folder:
        (folder / "model.keras").write_bytes(b"x")
        assert not path.exists()
        assert folder.parent == path.parent, "on the same disk, so that the rename is one step"
    assert (path / "model.keras").read_bytes() == b"x"
    assert left_behind(tmp_path) == []


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_a_folder_that_fails_leaves_nothing(tmp_path: Path, error: type[BaseException]) -> None:
    def fail_halfway() -> None:
        with new_directory(tmp_path / "run") as folder:
            (folder / "half").write_bytes(b"x")
            raise error

    with pytest.raises(error):
        fail_halfway()
    assert list(tmp_path.iterdir()) == []


def test_an_existing_folder_is_kept_unless_told_otherwise(tmp_path: Path) -> None:
    path = tmp_path / "run"
    path.mkdir()
    (path / "old").touch()
    with pytest.raises(OutputError, match="add --overwrite"), new_directory(path):
        pytest.fail("the block must not be entered")
    with new_directory(path, overwrite=True) as folder:
        (folder / "new").touch()
        assert [item.name for item in path.iterdir()] == ["old"], "until the new one is complete"
    assert [item.name for item in path.iterdir()] == ["new"]
    assert left_behind(tmp_path) == []


def test_a_replacement_that_fails_leaves_the_old_folder(tmp_path: Path) -> None:
    path = tmp_path / "run"
    path.mkdir()
    (path / "old").touch()
    with pytest.raises(ValueError, match="no"), new_directory(path, overwrite=True):
        raise ValueError("no")
    assert [item.name for item in path.iterdir()] == ["old"]
    assert left_behind(tmp_path) == []


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux can swap two names in one step")
def test_a_reader_always_finds_a_whole_folder(tmp_path: Path) -> None:
    path = tmp_path / "run"
    with new_directory(path) as folder:
        (folder / "model").write_bytes(b"x")
    done = threading.Event()
    misses: list[str] = []
    looks = 0

    def look() -> None:
        nonlocal looks
        while not done.is_set():
            looks += 1
            if not path.is_dir():
                misses.append("the folder is gone")

    reader = threading.Thread(target=look)
    reader.start()
    for _ in range(100):
        with new_directory(path, overwrite=True) as folder:
            (folder / "model").write_bytes(b"x")
    done.set()
    reader.join()
    assert looks > 100
    assert misses == []
    assert left_behind(tmp_path) == []


HALF_A_FOLDER = """
import sys, time
from pathlib import Path
from edge_runtime.files import new_directory

with new_directory(Path(sys.argv[1])) as folder:
    (folder / "half").touch()
    print(flush=True)
    time.sleep(60)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no locks on folders")
def test_what_a_kill_left_of_a_folder_goes_with_the_next_try_but_nothing_of_a_living_one(
    tmp_path: Path,
) -> None:
    path = tmp_path / "run"
    command = [sys.executable, "-c", HALF_A_FOLDER, str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as writer:
        assert writer.stdout is not None
        writer.stdout.readline()
        (half,) = left_behind(tmp_path)
        with new_directory(path):
            pass
        assert left_behind(tmp_path) == [half], "its writer lives"
        writer.kill()
    others = [tmp_path / ".run.other-run.tmp", tmp_path / ".run.12345678.tmp.zip"]
    for other in others:
        other.mkdir()
    with new_directory(path, overwrite=True):
        pass
    assert sorted(tmp_path.iterdir()) == sorted([*others, path])


def test_only_a_folder_of_its_own_kind_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "pictures"
    path.mkdir()
    with new_directory(path, overwrite=True, mark="train.json") as folder:
        (folder / "train.json").touch()  # an empty folder may be replaced,
    with new_directory(path, overwrite=True, mark="train.json") as folder:
        (folder / "holiday.jpg").touch()  # and one that holds the mark,
    message = r"pictures holds other things \(no train\.json\), so it is not replaced"
    with pytest.raises(OutputError, match=message):  # but nothing else
        refuse_existing(path, overwrite=True, mark="train.json")
    with (
        pytest.raises(OutputError, match=message),
        new_directory(path, overwrite=True, mark="train.json"),
    ):
        pytest.fail("the block must not be entered")
    assert (path / "holiday.jpg").exists()


@pytest.mark.parametrize("place", [".", "..", "a file"])
def test_what_is_no_folder_of_its_own_is_not_replaced(
    tmp_path: Path, place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("a file").touch()
    with (
        pytest.raises(OutputError, match=r"cannot be replaced.*; name another place"),
        new_directory(Path(place), overwrite=True),
    ):
        pytest.fail("the block must not be entered")
    assert [item.name for item in tmp_path.iterdir()] == ["a file"]
