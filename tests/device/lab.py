"""A Raspberry Pi's own software on this machine: Debian's userlands for ARM, run by QEMU.

`python -m tests.device.lab` makes what is not there yet; it is kept in .device-lab/.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from edge_runtime.files import new_directory
from tests.device import boards
from tests.device.boards import Board
from tests.device.userlands import REPOSITORY, USERLANDS, Userland

HERE: Final = Path(__file__).parent
CACHE: Final = REPOSITORY / ".device-lab"
CONSTRAINTS: Final = REPOSITORY / "constraints.txt"
RELEASE: Final = "bookworm"  # the Debian that Raspberry Pi OS with Python 3.11 is made of
SOURCES: Final = "DEVICE_LAB_SOURCES"  # environment: where Debian's packages come from

_PYTHON: Final = "/usr/bin/python3.11"
_SITE: Final = "usr/local/lib/python3.11/dist-packages"  # where pip installs to on Debian
_HOME: Final = "/home/pi"


class LabError(Exception):
    """The lab cannot be built or entered here; its text says what to do."""


@dataclass(frozen=True)
class Pi:
    """A userland to run Python in, with a folder that both sides see."""

    userland: Userland
    root: Path
    home: Path  # here; there it is /home/pi

    def __str__(self) -> str:
        return self.userland.name

    @property
    def boards(self) -> Sequence[Board]:
        """Those that it runs on."""
        return self.userland.boards

    def install(self, wheel: Path) -> None:
        """Put this package where the userland's Python finds it."""
        _pip("--no-deps", "--target", self.home / "package", wheel)

    def python(
        self, *arguments: str | Path, board: Board | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run the userland's Python.

        Args:
            arguments: as for `python3`; paths in `home` become what they are called there.
            board: where to run it; None takes the userland's first.
        """
        board = board or self.boards[0]
        told = [self._there(item) if isinstance(item, Path) else item for item in arguments]
        places = (self.root, self.home, self.root / "boards" / board.cpu)
        command = [*_namespace(), "sh", str(HERE / "enter.sh"), *map(str, places)]
        return subprocess.run(
            [*command, self.userland.qemu, _PYTHON, *told],
            env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": _HOME, "QEMU_CPU": board.cpu},
            capture_output=True,
            text=True,
            check=False,
        )

    def _there(self, path: Path) -> str:
        return f"{_HOME}/{path.relative_to(self.home)}"


def build(userland: Userland) -> Path:
    """The root folder of a userland, from the cache where there is one of the same contents."""
    require_qemu()
    recipe = [Path(__file__), Path(boards.__file__), CONSTRAINTS]
    root = cached(userland.name, recipe, repr(userland))
    if root.is_dir():
        return root
    with new_directory(root) as building:
        _unpack(userland.packages, userland.name, building)
        _settle(building)
        _pip(
            *(f"--platform={platform}" for platform in userland.platforms),
            *("--only-binary=:all:", "--python-version=3.11", "--implementation=cp"),
            *("--no-deps",) * (userland.name == "armhf"),
            *("--constraint", CONSTRAINTS, "--target", building / _SITE),
            *userland.wheels,
        )
        (building / _SITE / "home.pth").write_text(f"{_HOME}/package\n")
        shutil.copy(f"/usr/bin/qemu-{userland.qemu}-static", building / "usr/bin")
        for board in userland.boards:
            board.write(building / "boards" / board.cpu)
    return root


def cached(name: str, made_of: Iterable[Path], settings: str = "") -> Path:
    """Where something is kept that is made of these files; what was made of others is removed."""
    digest = hashlib.sha256(settings.encode())
    for path in sorted(made_of):
        if path.is_file() and path.suffix != ".pyc":
            digest.update(path.read_bytes())
    place = CACHE / f"{name}-{digest.hexdigest()[:12]}"
    for outdated in set(CACHE.glob(f"{name}-*")) - {place}:
        shutil.rmtree(outdated)
    return place


def require_qemu() -> None:
    """Have QEMU, if need be and may be by installing it.

    Raises:
        LabError: it is not there, and only root on Debian may install it unasked.
    """
    if all(Path(f"/usr/bin/qemu-{userland.qemu}-static").exists() for userland in USERLANDS):
        return
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        raise LabError("qemu-user-static is missing; run `apt-get install qemu-user-static`")
    _run(["apt-get", "update"])
    _run(["apt-get", "install", "--yes", "--no-install-recommends", "qemu-user-static"])


def _unpack(packages: Sequence[str], architecture: str, root: Path) -> None:
    """Let apt find and fetch the packages as on the other architecture, and unpack them."""
    with tempfile.TemporaryDirectory() as folder:
        for name in ("state/lists/partial", "cache/archives/partial"):
            (Path(folder) / name).mkdir(parents=True)
        (Path(folder) / "status").touch()
        options = {
            "APT::Architecture": architecture,
            "APT::Architectures": architecture,
            "APT::Sandbox::User": "root",
            "APT::Update::Error-Mode": "any",
            "Dir::State": f"{folder}/state",
            "Dir::State::status": f"{folder}/status",
            "Dir::Cache": f"{folder}/cache",
        } | _sources()
        apt = ["apt-get", *(f"-o{name}={value}" for name, value in options.items())]
        # A mirror that is being renewed gives lists that do not fit together for a moment. What
        # counts in the end is whether the packages can be had.
        any(_succeeds([*apt, "update"]) for _ in range(3))
        _run([*apt, "install", "--yes", "--no-install-recommends", "--download-only", *packages])
        for package in Path(folder).glob("cache/archives/*.deb"):
            _run(["dpkg-deb", "--extract", package, root])


def _sources() -> dict[str, str]:
    """Debian's own places are this machine's, where it runs the same Debian."""
    if named := os.environ.get(SOURCES):
        return {"Dir::Etc::sourcelist": named, "Dir::Etc::sourceparts": "/dev/null"}
    release = Path("/etc/os-release")
    if release.exists() and f"VERSION_CODENAME={RELEASE}\n" in release.read_text():
        return {}
    raise LabError(
        f"this machine does not run Debian {RELEASE}, whose packages the lab is made of; "
        f"set {SOURCES} to an apt sources file for it"
    )


def _settle(root: Path) -> None:
    """What the packages' own scripts would have done."""
    for library in root.glob("usr/lib/*/*/lib*.so.3"):
        if library.parent.name in ("blas", "lapack"):
            (library.parents[1] / library.name).symlink_to(f"{library.parent.name}/{library.name}")
    for name in ("dev", "proc", "sys", "tmp", "home/pi", _SITE):
        (root / name).mkdir(parents=True, exist_ok=True)


def _namespace() -> Sequence[str]:
    """A mount namespace: in a user namespace, or of the machine's root where those are not had."""
    for options in (["--map-root-user", "--mount"], ["--mount"]):
        if _succeeds(["unshare", *options, "true"]):
            return ["unshare", *options]
    raise LabError("the lab needs user namespaces, or root that may mount; neither is allowed here")


def _pip(*arguments: str | Path) -> None:
    _run([sys.executable, "-m", "pip", "--disable-pip-version-check", "install", *arguments])


def _succeeds(command: Sequence[str | Path]) -> bool:
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def _run(command: Sequence[str | Path]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        words = " ".join(word for word in map(str, command) if not word.startswith("-"))[:60]
        raise LabError(f"`{words} …` failed: {' '.join(done.stderr.split()[-60:])}")


def main() -> int:
    """Make both userlands, and say where they are."""
    try:
        for userland in USERLANDS:
            print(f"device lab: {userland.name} is in {build(userland)}", flush=True)
    except LabError as error:
        print(f"device lab: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
