"""The doctor is shown machines: their files, programs and packages."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from edge_runtime import doctor
from edge_runtime.cli import main
from edge_runtime.doctor import Patient
from edge_runtime.doctor.engines import Trial, suitable
from edge_runtime.doctor.finding import Finding
from edge_runtime.doctor.python import MAKE_ENVIRONMENT, Python

FILES = {
    "etc/os-release": 'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\n',
    "proc/device-tree/model": "Raspberry Pi 4 Model B Rev 1.4\0",
    "proc/meminfo": "MemTotal: 3884288 kB\nMemAvailable: 3000000 kB\n",
    "sys/class/thermal/thermal_zone0/temp": "61834\n",
    "sys/class/thermal/thermal_zone0/type": "cpu-thermal\n",
    "sys/devices/platform/soc/soc:firmware/get_throttled": "0\n",
}
PI_64 = Python((3, 11, 2), "Linux", "aarch64", (2, 36), "open", managed=True)
PI_32 = replace(PI_64, processor="armv7l")
WORKS = Trial("2.3.0", starts=True, passed=True, text="16/16 agree")


@pytest.fixture
def pi(tmp_path: Path) -> Callable[..., Patient]:
    """A function: what is different → a Raspberry Pi 4 on which LiteRT works."""
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    usual = Patient(
        root=tmp_path,
        python=PI_64,
        installed=("litert",),
        try_out=lambda _: WORKS,
        version={"numpy": "2.4.6", "pillow": "13.0.0"}.get,
        ask=lambda *_: None,
        has_module=lambda _: False,
        has_program=lambda _: False,
    )
    return lambda **changes: replace(usual, **changes)


def found(patient: Patient, topic: str) -> list[Finding]:
    return [each for each in doctor.examine(patient).findings if each.topic == topic]


def test_a_healthy_raspberry_pi_is_ready(pi: Callable[..., Patient]) -> None:
    report = doctor.examine(pi())
    assert report.exit_code == 0
    assert {finding.level for finding in report.findings} == {"ok"}
    text = doctor.as_text(report)
    assert "Raspberry Pi 4 Model B Rev 1.4; Debian GNU/Linux 12 (bookworm)" in text
    assert "ai-edge-litert 2.3.0 runs the model inside: 16/16 agree" in text
    assert "62 °C" in text
    assert "2,929 of 3,793 MiB free" in text
    assert text.endswith("ready: python -m edge_runtime classify PICTURE")


def test_without_an_engine_the_one_that_fits_is_named(pi: Callable[..., Patient]) -> None:
    report = doctor.examine(pi(installed=()))
    assert report.exit_code == 3
    (finding,) = [each for each in report.findings if each.level == "problem"]
    assert (
        finding.text
        == "none runs; for this machine there is ai-edge-litert or onnxruntime or tflite-runtime"
    )
    assert finding.command == "pip install ai-edge-litert"
    assert "> pip install ai-edge-litert" in doctor.as_text(report)


def test_a_32_bit_raspberry_pi_is_sent_to_tflite_runtime(pi: Callable[..., Patient]) -> None:
    assert suitable(PI_32) == ["tflite-runtime"]
    (finding,) = found(pi(installed=(), python=PI_32), "engine")
    assert finding.command == "pip install tflite-runtime 'numpy<2'"


@pytest.mark.parametrize(
    ("changes", "advice"),
    [
        ({"processor": "armv7l", "version": (3, 13, 5)}, "install the 64-bit Raspberry Pi OS"),
        ({"processor": "armv6l"}, "a Raspberry Pi 2 or newer"),
        ({"libc": None}, "use Debian, not Alpine"),
        ({"version": (3, 15, 0)}, "no engine is published for Python 3.15 on aarch64"),
    ],
)
def test_where_nothing_fits_it_is_said_what_would(
    changes: dict[str, object], advice: str, pi: Callable[..., Patient]
) -> None:
    patient = pi(installed=(), python=replace(PI_64, **changes))  # type: ignore[arg-type]
    assert doctor.examine(patient).exit_code == 3
    (finding,) = found(patient, "engine")
    assert advice in finding.text


def test_an_illegal_instruction_is_a_sentence(pi: Callable[..., Patient]) -> None:
    died = Trial("2.3.0", False, False, "was built for another processor (it died of SIGILL)")
    report = doctor.examine(pi(try_out=lambda _: died))
    assert report.exit_code == 3
    assert "ai-edge-litert 2.3.0 was built for another processor (it died of SIGILL)" in (
        doctor.as_text(report)
    )


def test_an_engine_that_answers_otherwise_is_no_engine(pi: Callable[..., Patient]) -> None:
    wrong = Trial("2.3.0", True, False, "3/16 agree")
    report = doctor.examine(pi(try_out=lambda _: wrong))
    assert report.exit_code == 1
    assert "the model inside fails: 3/16 agree" in doctor.as_text(report)


def test_one_broken_engine_beside_one_that_works_is_a_note(pi: Callable[..., Patient]) -> None:
    broken = Trial("1.31.1", False, False, "does not start here (ImportError: libgomp)")
    trials = {"litert": WORKS, "onnxruntime": broken}
    patient = pi(installed=("litert", "onnxruntime"), try_out=trials.__getitem__)
    assert [finding.level for finding in found(patient, "engine")] == ["ok", "note"]
    assert doctor.examine(patient).exit_code == 0


def test_numpy_2_under_tflite_runtime_is_found(pi: Callable[..., Patient]) -> None:
    (finding,) = found(pi(python=PI_32, installed=("tflite-runtime",)), "packages")
    assert finding.level == "problem"
    assert "numpy 2.4.6: tflite-runtime was built against NumPy 1" in finding.text
    assert finding.command == "pip install 'numpy<2'"


def test_missing_packages_are_found_without_them(pi: Callable[..., Patient]) -> None:
    (finding,) = found(pi(version=lambda _: None), "packages")
    assert (finding.text, finding.command) == (
        "numpy and pillow missing",
        "pip install numpy pillow",
    )
    (finding,) = found(pi(version=lambda _: None, python=PI_32), "packages")
    assert finding.command == "sudo apt install python3-numpy python3-pil"


def test_a_python_that_pip_may_not_touch_gets_an_environment(pi: Callable[..., Patient]) -> None:
    python = replace(PI_64, place="system")
    (finding,) = found(pi(python=python), "python")
    assert (finding.level, finding.command) == ("note", MAKE_ENVIRONMENT)
    (finding,) = found(pi(python=python, installed=()), "engine")
    assert finding.command == f"{MAKE_ENVIRONMENT} && pip install ai-edge-litert"


def test_a_camera_that_the_environment_hides_is_found(pi: Callable[..., Patient]) -> None:
    patient = pi(python=replace(PI_64, place="closed"))
    (patient.root / "usr/lib/python3/dist-packages/picamera2").mkdir(parents=True)
    (patient.root / "dev").mkdir()
    (patient.root / "dev/video0").touch()
    nothing, hidden = found(patient, "camera")
    assert "1 video device, but nothing to read it with" in nothing.text
    assert nothing.command == "sudo apt install python3-picamera2"
    assert "does not see the system's packages" in hidden.text
    assert hidden.command == MAKE_ENVIRONMENT
    (fine,) = found(replace(patient, has_program=lambda name: name == "rpicam-jpeg"), "camera")[:1]
    assert (fine.level, fine.text) == ("ok", "1 video device, read by rpicam-jpeg")


def test_heat_and_a_weak_power_supply_are_told(pi: Callable[..., Patient]) -> None:
    patient = pi()
    (patient.root / "sys/class/thermal/thermal_zone0/temp").write_text("84100\n")
    (patient.root / "sys/devices/platform/soc/soc:firmware/get_throttled").unlink()
    patient = replace(patient, ask=lambda *_: "throttled=0x50005")
    (heat,), (power,) = found(patient, "heat"), found(patient, "power")
    assert heat.text == "84 °C: it slows down; give it a fan or some air"
    assert power.text.startswith("under-voltage, throttled, under-voltage since start")
    assert power.text.endswith("use the power supply made for this board")


def test_a_sensor_that_is_asleep_is_no_trouble(pi: Callable[..., Patient]) -> None:
    patient = pi()
    (patient.root / "sys/class/thermal/thermal_zone0/temp").write_text("\n")
    assert found(patient, "heat") == []


def test_little_memory_is_told(pi: Callable[..., Patient]) -> None:
    patient = pi()
    (patient.root / "proc/meminfo").write_text("MemTotal: 440000 kB\nMemAvailable: 90000 kB\n")
    (finding,) = found(patient, "memory")
    assert finding == Finding(
        "note", "memory", "87 of 429 MiB free: an engine and a photograph need 150"
    )


def test_a_machine_that_says_nothing_of_itself_is_no_trouble(
    tmp_path: Path, pi: Callable[..., Patient]
) -> None:
    assert doctor.examine(pi(root=tmp_path / "nothing")).exit_code == 0


def test_for_programs_there_is_json(pi: Callable[..., Patient]) -> None:
    document = json.loads(doctor.as_json(doctor.examine(pi(installed=()))))
    assert document["exit_code"] == 3
    assert document["engines"] == []
    assert {"level", "topic", "text", "command"} == document["findings"][0].keys()


@pytest.mark.slow
def test_here_something_works(capsys: pytest.CaptureFixture[str]) -> None:
    """Every engine of this environment, in processes of their own."""
    assert main(["doctor"]) == 0
    printed = capsys.readouterr().out
    assert "runs the model inside: 16/16 agree" in printed
    assert "problem" not in printed


def test_what_an_engine_prints_is_shown_when_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    package = tmp_path / "ai_edge_litert"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "interpreter.py").write_text("import os; os.write(2, b'hello\\n'); raise OSError")
    monkeypatch.syspath_prepend(tmp_path)
    doctor.engines.try_out("litert")
    assert capsys.readouterr().err == ""
    monkeypatch.setenv("EDGE_RUNTIME_VERBOSE", "1")
    doctor.engines.try_out("litert")
    assert capsys.readouterr().err == "hello\n"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("body", "told"),
    [
        (
            "import os, signal; os.kill(os.getpid(), signal.SIGILL)",
            "another processor (it died of SIGI",
        ),
        ("raise AttributeError('_ARRAY_API not found')", "AttributeError: _ARRAY_API not found"),
    ],
)
def test_a_real_child_that_dies_is_a_sentence(
    body: str, told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "ai_edge_litert"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "interpreter.py").write_text(body)
    monkeypatch.syspath_prepend(tmp_path)
    attempt = doctor.engines.try_out("litert")
    assert not attempt.starts
    assert told in attempt.text
