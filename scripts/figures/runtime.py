"""What the runtime costs: beyond its engine, at work, and on disk."""

from __future__ import annotations

import math

from scripts import reports
from scripts.figures.markdown import table


def overhead() -> str:
    """What the runtime costs beyond its engine, from a call to a whole program."""
    report = reports.read("runtime", "overhead")
    calls = [
        [
            f"an array to an answer, {call['macs'] / 1e6:.2g} million multiplications, p50",
            f"{call['by_hand_p50_us']:.1f} µs",
            f"{call['classify_p50_us']:.1f} µs",
            f"{call['ratio']:.2f}",
        ]
        for call in report["calls"]
    ]
    start, jpeg = report["start"], report["jpeg"]
    hand, ours = start["by_hand"], start["edge_runtime"]
    cpu = [f"{each['cpu_ms']:.0f} ms" for each in (hand, ours)]
    peak = [f"{each['peak_mib']:.1f} MiB" for each in (hand, ours)]
    rows = [
        *calls,
        ["a program that names one PNG, CPU time", *cpu, f"{start['cpu_ratio']:.2f}"],
        ["the same, peak memory", *peak, f"{ours['peak_mib'] / hand['peak_mib']:.2f}"],
        [
            f"a JPEG of {math.prod(jpeg['pixels']) / 1e6:.0f} megapixels to an answer, CPU time",
            f"{jpeg['decoded_whole_cpu_ms']:.0f} ms",
            f"{jpeg['classify_cpu_ms']:.0f} ms",
            f"{jpeg['classify_cpu_ms'] / jpeg['decoded_whole_cpu_ms']:.2f}",
        ],
    ]
    return "\n".join(
        [
            *table(("what", "by hand", "edgeproof", "ratio"), rows),
            "",
            (
                "By hand: `set_tensor`, `invoke`, `get_tensor`; a ten-line script; decoded whole. "
                f"`import tensorflow` alone takes {start['tensorflow_cpu_ratio']:.0f} times the CPU time "
                f"of the whole program. Medians in turns, load {report['load_1min']:.1f} on "
                f"{report['machine']['cores']} cores; {report['machine']['cpu']}."
            ),
            "",
        ]
    )


def at_work() -> str:
    """What many pictures gain from several cores, and what waiting for the next one costs."""
    stream, idle = reports.read("runtime", "stream"), reports.read("runtime", "idle")
    quick, camera = stream["times_as_quick"], idle["camera"]
    width, height = stream["size"]
    watched = ", ".join(
        f"{share:.2f} % beside {int(count):,} pictures"
        for count, share in idle["watch_percent_of_a_core"].items()
    )
    return (
        f"`stream` does {stream['pictures']:,} JPEGs of {width} x {height} {quick['processes']:.2f} "
        f"times as quickly in {stream['workers']} processes as one at a time, their start included, "
        f"and {quick['threads']:.2f} times in threads. Waiting takes little of a core: a camera at "
        f"{camera['pictures_a_second']:g} Hz {camera['beyond_decoding']:.1f} % beyond decoding, a watched "
        f"folder {watched}.\n"
    )


def installed() -> str:
    """What an installation weighs, and what it consists of."""
    rows = []
    for way, packages in reports.read("runtime", "installed")["installed"].items():
        brought = ", ".join(name for name in packages if name != "edgeproof")
        size = sum(each["size_bytes"] for each in packages.values()) / 1e6
        rows.append([f"`pip install '{way}'`", brought, f"{size:.0f}"])
    headers = ("install", "brings, beside edgeproof itself", "MB")
    return "\n".join([*table(headers, rows, words=2), ""])
