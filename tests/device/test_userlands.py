"""The emulated Pis are what they are taken for."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from packaging.requirements import Requirement

from tests.device.lab import Pi

pytestmark = [pytest.mark.slow, pytest.mark.device]

_PROBE = """
import json, platform, struct, subprocess, sys
from importlib.metadata import distributions, requires
words = [sys.executable, "-c", "import platform; print(platform.machine())"]
print(json.dumps({
    "machine": platform.machine(),
    "bits": 8 * struct.calcsize("P"),
    "python": platform.python_version_tuple()[:2],
    "release": platform.freedesktop_os_release()["VERSION_CODENAME"],
    "board": open("/sys/firmware/devicetree/base/model").read().rstrip("\\0"),
    "child": subprocess.run(words, stdout=subprocess.PIPE, text=True).stdout.strip(),
    "asked": requires("edgeproof"),
    "versions": {each.metadata["Name"].lower(): each.version for each in distributions()},
}))
"""


@pytest.fixture(scope="session")
def probe(pi: Pi) -> dict[str, Any]:
    """What the userland's Python says of itself."""
    said: dict[str, Any] = json.loads(pi.python("-c", _PROBE).stdout)
    return said


def test_it_is_the_python_and_the_architecture_of_a_pi(pi: Pi, probe: dict[str, Any]) -> None:
    machine, bits = {"arm64": ("aarch64", 64), "armhf": ("armv7l", 32)}[pi.userland.name]
    assert (probe["machine"], probe["bits"]) == (machine, bits)
    assert probe["python"] == ["3", "11"]
    assert probe["release"] == "bookworm"
    assert probe["board"] == pi.boards[0].name


def test_a_program_there_can_start_another(probe: dict[str, Any]) -> None:
    # Where this fails, Linux is older than 6.7 and does not know ARM's programs: it does after
    # `apt-get install qemu-user-static` on a machine whose services are started by systemd.
    assert probe["child"] == probe["machine"]


def test_all_that_this_package_asks_for_is_there(pi: Pi, probe: dict[str, Any]) -> None:
    asked = [Requirement(text) for text in probe["asked"]]
    always = {each.name: each.specifier for each in asked if each.marker is None}
    assert set(always) == {"numpy", "pillow"}
    for name, specifier in always.items():
        assert specifier.contains(probe["versions"][name])
    engines = {"arm64": {"ai-edge-litert", "onnxruntime"}, "armhf": {"tflite-runtime"}}
    assert engines[pi.userland.name] <= set(probe["versions"])


def test_doctor_finds_every_engine_there_and_the_board(
    pi: Pi, report: Callable[[str], None]
) -> None:
    asked = pi.python("-m", "edge_runtime", "doctor", "--format", "json")
    assert asked.stderr == ""
    found = json.loads(asked.stdout)
    assert asked.returncode == found["exit_code"] == 0, asked.stdout
    engines = {"arm64": ["litert", "onnxruntime"], "armhf": ["tflite-runtime"]}
    assert found["engines"] == engines[pi.userland.name]
    report(f"{pi}, {pi.boards[0].name}: doctor finds {', '.join(found['engines'])}")
