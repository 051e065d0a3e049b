"""What a reader must know beside the figures: why one is missing, and what may have spoiled it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.difference import uncertainty
from benchmarks.evaluation import DEFAULT_NAME
from benchmarks.measures.accuracy import ORIGINAL

if TYPE_CHECKING:
    from benchmarks.machine import Machine, MachineState
    from benchmarks.report import Measurement

_CALLS = 100  # from which one in a hundred may be among them
_UNSTEADY = 0.03  # uncertainty of a p50, as a share, from which a reader is warned


def accuracy_notes(rows: Sequence[Measurement]) -> list[str]:
    """Why accuracy or agreement is missing, and what is compared with what where it is not plain."""
    measured = [row for row in rows if row.failure is None]
    folders = {str(Path(row.file).parent) for row in measured if row.accuracy is None}
    notes = [
        f"no accuracy: {folder} has no {DEFAULT_NAME}; name a set with --evaluation FILE.npz"
        for folder in sorted(folders)
    ]
    judged = [row.accuracy for row in measured if row.accuracy is not None]
    alone = {one.evaluation for one in judged if one.reference is None}
    notes += [
        f"no agreement and no difference: {evaluation} has no `scores` of the original, and its "
        "float32 file is not among the files measured; add it"
        for evaluation in sorted(alone)
    ]
    files = {(one.evaluation, one.reference) for one in judged if one.reference is not None}
    notes += [
        f"the reference is {reference}: {evaluation} has no `scores` of the original"
        for evaluation, reference in sorted(files)
        if reference != ORIGINAL
    ]
    return notes


def loadgen_notes(rows: Sequence[Measurement]) -> list[str]:
    """Which of LoadGen's runs it does not call VALID itself."""
    return [
        f"LoadGen calls its run of {row.file} {row.loadgen.verdict}: its figures are no result; "
        "give it more --loadgen-seconds, on a machine at rest"
        for row in rows
        if row.loadgen is not None and row.loadgen.verdict != "VALID"
    ]


def timing_notes(rows: Sequence[Measurement]) -> list[str]:
    """Where so little was timed that a figure claims more than it knows."""
    timings = [row.timing for row in rows if row.timing is not None]
    notes = []
    if any(timing.blocks == 1 for timing in timings):
        notes.append("timed in one process, whose luck is in every time; give more --blocks")
    fewest = min((timing.calls for timing in timings), default=_CALLS)
    if fewest < _CALLS:
        notes.append(
            f"a p99 is of {fewest} calls, of which it needs {_CALLS}; give more --seconds or --blocks"
        )
    return notes


def machine_notes(
    rows: Sequence[Measurement], machine: Machine, before: MachineState, after: MachineState
) -> list[str]:
    """What on the machine may have spoiled the times."""
    if machine.emulator is not None:
        emulated = (
            f"this processor is imitated by {Path(machine.emulator).name}: accuracy holds, but "
            "times and memory are the emulator's and are compared with nothing"
        )
        return [emulated]
    notes = []
    flags = [flag for state in (before, after) for flag in state.throttle_flags or ()]
    during = set(after.throttle_flags or ()) - set(before.throttle_flags or ())
    if before.throttled or after.throttled or during:
        told = ", ".join(dict.fromkeys(flags))
        notes.append(f"the processor was held back ({told}): times are too long; cool or power it")
    if before.load_1min is not None and before.load_1min >= machine.cores:
        notes.append(
            f"the machine was busy before the start (load {before.load_1min:.1f} on "
            f"{machine.cores} cores): other work makes p99 longer and images per second fewer"
        )
    shares = [uncertainty(row.timing) for row in rows if row.timing and row.timing.blocks > 1]
    worst = max(shares, default=0.0)
    if worst > _UNSTEADY:
        notes.append(
            f"a p50 may be off by {100 * worst:.0f} %: the machine was not at rest; stop other "
            "work, keep to one core with --cores, or give more --blocks"
        )
    return notes
