from __future__ import annotations

import platform
import sys
from pathlib import Path

import numpy as np
import pytest

from benchmarks import machine
from benchmarks.measures.memory import peak_bytes

RASPBERRY_PI = {
    "etc/os-release": 'NAME="Debian"\nPRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\n',
    "proc/cpuinfo": "processor\t: 0\nBogoMIPS\t: 108.00\nCPU part\t: 0xd08\n",
    "proc/device-tree/model": "Raspberry Pi 4 Model B Rev 1.4\0",
    "proc/loadavg": "0.52 0.41 0.30 1/123 4567\n",
    "proc/meminfo": "MemTotal:        3884288 kB\nMemFree: 1 kB\n",
    "sys/class/thermal/thermal_zone0/temp": "61834\n",
    "sys/class/thermal/thermal_zone0/type": "cpu-thermal\n",
    "sys/class/thermal/thermal_zone1/temp": "90000\n",
    "sys/class/thermal/thermal_zone1/type": "wifi\n",
    "sys/devices/platform/soc/soc:firmware/get_throttled": "50005\n",
    "sys/devices/system/cpu/cpu0/cpufreq/scaling_governor": "ondemand\n",
}


@pytest.fixture
def pi(tmp_path: Path) -> Path:
    for name, text in RASPBERRY_PI.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


def test_a_raspberry_pi_is_described(pi: Path) -> None:
    found = machine.describe(pi)
    assert found.board == "Raspberry Pi 4 Model B Rev 1.4"
    assert found.system.startswith("Debian GNU/Linux 12 (bookworm), ")
    assert found.memory_bytes == 3884288 * 1024


def test_a_throttled_raspberry_pi_is_said_to_be_throttled(pi: Path) -> None:
    found = machine.state(pi)
    assert found.load_1min == 0.52
    assert found.governor == "ondemand"
    assert found.temperature_celsius == pytest.approx(61.834)
    assert found.throttle_flags is not None
    assert found.throttle_flags[:2] == ("under-voltage", "throttled")
    assert found.throttled


def test_throttling_in_the_past_is_told_but_is_not_now(pi: Path) -> None:
    (pi / "sys/devices/platform/soc/soc:firmware/get_throttled").write_text("50000")
    found = machine.state(pi)
    assert found.throttle_flags == ("under-voltage since start", "throttled since start")
    assert not found.throttled


def test_a_cool_raspberry_pi_has_no_flags(pi: Path) -> None:
    (pi / "sys/devices/platform/soc/soc:firmware/get_throttled").write_text("0")
    assert machine.state(pi).throttle_flags == ()


def test_what_a_system_does_not_say_is_left_open(tmp_path: Path) -> None:
    found = machine.state(tmp_path)
    assert (found.load_1min, found.temperature_celsius, found.throttle_flags) == (None, None, None)
    assert machine.describe(tmp_path).board is None


def test_this_machine_is_described_with_its_versions() -> None:
    found = machine.describe()
    assert found.cores >= 1
    assert found.python == platform.python_version()
    assert found.versions["numpy"] == np.__version__
    assert {"ai_edge_litert", "onnxruntime", "tflite_runtime"} & found.versions.keys()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
@pytest.mark.slow
def test_peak_memory_grows_with_what_is_used_and_stays() -> None:
    before = peak_bytes()
    assert before is not None
    block = np.ones(64_000_000 + before, np.uint8)
    during = peak_bytes()
    del block
    after = peak_bytes()
    assert during is not None
    assert after is not None
    assert during - before >= 60_000_000
    assert after > 0.99 * during  # the kernel counts in batches
