"""The boards that the device lab imitates: what their processors can do, and what they say of it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

_CORES = 4


@dataclass(frozen=True)
class Board:
    """A Raspberry Pi. An instruction that its processor lacks ends the program, as it would there."""

    name: str  # as the device tree has it
    cpu: str  # as QEMU calls it
    part: str  # the processor's number among Arm's
    features: str  # as Linux lists them

    def write(self, folder: Path) -> None:
        """What Linux says of the board, as a file and a folder to lay over /proc/cpuinfo and /sys.

        The engines choose their arithmetic by it. Of this machine's own they understand nothing:
        LiteRT then goes without XNNPACK, which is what it computes with on a Pi.
        """
        cpus, tree = folder / "sys/devices/system/cpu", folder / "sys/firmware/devicetree/base"
        for made in (cpus, tree):
            made.mkdir(parents=True)
        for name in ("possible", "present", "online"):
            (cpus / name).write_text(f"0-{_CORES - 1}\n")
        (tree / "model").write_text(f"{self.name}\0")
        (folder / "cpuinfo").write_text(self._cpuinfo())

    def _cpuinfo(self) -> str:
        core = (
            f"Features\t: {self.features}\n"
            "CPU implementer\t: 0x41\n"
            f"CPU architecture: {7 if self.part < '0xd' else 8}\n"
            "CPU variant\t: 0x0\n"
            f"CPU part\t: {self.part}\n"
            "CPU revision\t: 4\n\n"
        )
        cores = "".join(f"processor\t: {number}\n{core}" for number in range(_CORES))
        return f"{cores}Model\t\t: {self.name}\n"


PI_2 = Board(
    name="Raspberry Pi 2 Model B Rev 1.1",
    cpu="cortex-a7",
    part="0xc07",
    features="half thumb fastmult vfp edsp neon vfpv3 tls vfpv4 idiva idivt vfpd32 lpae evtstrm",
)
PI_3 = Board(
    name="Raspberry Pi 3 Model B Plus Rev 1.3",
    cpu="cortex-a53",
    part="0xd03",
    features="fp asimd evtstrm crc32 cpuid",
)
PI_4 = Board(
    name="Raspberry Pi 4 Model B Rev 1.4",
    cpu="cortex-a72",
    part="0xd08",
    features="fp asimd evtstrm crc32 cpuid",
)
PI_5 = Board(
    name="Raspberry Pi 5 Model B Rev 1.0",
    cpu="cortex-a76",
    part="0xd0b",
    features=(
        "fp asimd evtstrm aes pmull sha1 sha2 crc32 atomics fphp asimdhp cpuid asimdrdm lrcpc "
        "dcpop asimddp"
    ),
)
