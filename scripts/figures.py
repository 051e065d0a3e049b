"""Write the figures of README.md, the model cards and the page of scaling from docs/reports.

`--check` only compares.
"""

from __future__ import annotations

import argparse
import math
import re
from collections.abc import Callable
from pathlib import Path
from typing import Final

from benchmarks import report as benchmark_report
from benchmarks.peers.report import PeersReport
from benchmarks.peers.table import peers_table, skipped
from benchmarks.scaling import views as scaling
from benchmarks.scaling.report import ScalingReport
from benchmarks.views.table import markdown_table
from benchmarks.views.tables import tables
from export import reference
from scripts import cards, reports
from train import recipe

PAGES: Final = (reports.ROOT / "README.md",)
MODELS: Final = {
    "nano": "[`nano`](docs/models/nano.md)",
    "small": "[`small`](docs/models/small.md), the one inside",
    "base": "[`base`](docs/models/base.md)",
    "mlp": "`mlp`, the tutorial's",
}
_BLOCK: Final = re.compile(r"(<!-- figures: (.+?) -->\n).*?(<!-- end -->)", re.DOTALL)


def main() -> int:
    """Fill the blocks, or with --check say whether they are up to date."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--check", action="store_true", help="change nothing; exit 1 if outdated")
    check = parser.parse_args().check
    outdated = []
    for page, wanted in {**filled_pages(), **cards.pages(), **scaling_pages()}.items():
        if not page.is_file() or page.read_text(encoding="utf-8") != wanted:
            outdated.append(page.name)
            if not check:
                page.parent.mkdir(exist_ok=True)
                page.write_text(wanted, encoding="utf-8")
    if check and outdated:
        print(f"figures out of date in {', '.join(outdated)}; run `make figures`")
    return 1 if check and outdated else 0


def filled_pages() -> dict[Path, str]:
    """The pages that have figures between their words."""
    return {
        page: _BLOCK.sub(
            lambda block: f"{block[1]}{FIGURES[block[2]]()}{block[3]}",
            page.read_text(encoding="utf-8"),
        )
        for page in PAGES
    }


def scaling_pages() -> dict[Path, str]:
    """The page of scaling and its plots."""
    folder = reports.REPORTS / "scaling"
    report = ScalingReport.from_json((folder / "scaling.json").read_text(encoding="utf-8"))
    plots = {folder / f"scaling-{name}.svg": plot for name, plot in scaling.plots(report).items()}
    return {folder / "scaling.md": scaling.markdown(report, "scaling"), **plots}


def models() -> str:
    """What each model is, how right it is, and what its int8 file makes of that."""
    rows = [
        [
            "model",
            "parameters",
            "Keras, % right",
            "int8 file, % right",
            "seeds, mean ± sd",
            "agreement, %",
            "int8, kB",
            "training + teachers, CPU hours",
        ],
        ["---", *["---:"] * 7],
        *([name, *_model_figures(folder)] for folder, name in MODELS.items()),
    ]
    pictures = reports.read("mlp", "export")["reference"]["images"]
    taught_by = sorted(set().union(*map(reports.forebears, MODELS)))
    commands = [
        *(f"{name}: `{_command(folder)}`" for folder, name in MODELS.items()),
        *(
            f"`{each}`, which others learn from, {_right_as_floats(each)} % right: `{_command(each)}`"
            for each in taught_by
        ),
    ]
    return "\n".join(
        [
            *_table(rows),
            "",
            f"On the {pictures:,} test pictures, the int8 `.tflite` through `edge_runtime`. "
            + _without_golden_samples(),
            "",
            *(f"- {line}" for line in commands),
            "",
            _trained_as_int8(),
            "",
            _pipeline(),
            "",
        ]
    )


def _without_golden_samples() -> str:
    """How large the shipped files are but for the samples that `check` replays."""
    sizes = [f"`{name}` {cards.bare_bytes(reports.REPORTS / name):,}" for name in reference.MODELS]
    return f"Without their golden samples the files have, in bytes: {', '.join(sizes)}."


def _trained_as_int8() -> str:
    """How near an int8 file is to what it was trained to compute, and to the floats before that."""
    trained = reports.read("small-int8", "train")
    int8 = reports.int8(reports.read("small-int8", "export"))["parity"]
    before = reports.read("small", "export")["reference"]["accuracy"]
    return (
        f"Trained on as int8 computes (`{trained['command']}`), `small` becomes an int8 file that "
        f"answers as the simulation did on {cards.percent(int8['agreement'])} % of the test pictures and "
        f"is right on {cards.percent(int8['accuracy'])} %, {100 * (int8['accuracy'] - before):+.2f} points "
        "from the floats before."
    )


def _pipeline() -> str:
    cost = reports.read("train", "pipeline")
    low, high = cost["cost_percent_quartiles"]
    return (
        f"Reading and changing pictures costs {cost['cost_percent']:.1f} % of a step of "
        f"`{cost['config']}` (quartiles {low:.1f} to {high:.1f}), by "
        "`python -m scripts.pipeline_cost`."
    )


def reference_benchmark() -> str:
    """The benchmark of the reference model's files."""
    report = benchmark_report.read(reports.REPORTS / "small" / "benchmarks.json")
    lines: list[str] = []
    for table in tables(report):
        if not table.title.startswith(("Accuracy", "Speed", "Start-up")):
            continue
        lines += [f"**{table.title}**", "", *markdown_table(table), ""]
    return "\n".join(
        [
            *lines,
            f"{report.machine.cpu}, {report.machine.cores} cores, {report.started[:10]}.",
            *(f"- {note}" for note in report.notes),
            "",
        ]
    )


def peers() -> str:
    """This runtime beside the other ways to classify a picture."""
    path = reports.REPORTS / "small" / "peers.json"
    report = PeersReport.from_json(path.read_text(encoding="utf-8"))
    return "\n".join(
        [
            *markdown_table(peers_table(report)),
            "",
            *(f"- {line}" for line in skipped(report)),
            (
                f"One thread, {report.pictures:,} pictures, load {report.load_1min:.1f} on "
                f"{report.machine.cores} cores; {report.machine.cpu}, {report.started[:10]}."
            ),
            "",
        ]
    )


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
        ["what", "by hand", "edgeproof", "ratio"],
        ["---", *["---:"] * 3],
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
            *_table(rows),
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


def photographs() -> str:
    """How the reference models do on photographs."""
    report = reports.read("runtime", "photographs")
    rows = [
        ["model", "right, %", "of the originals, %", "difference, points [95 %]"],
        ["---", "---:", "---:", "---:"],
        *(
            [
                f"`{name}`",
                cards.percent(each["accuracy_photographs"]),
                cards.percent(each["accuracy_originals"]),
                cards.on_photographs(each),
            ]
            for name, each in report["models"].items()
        ),
    ]
    return "\n".join(
        [
            (
                f"{report['photographs']:,} test pictures rendered back into photographs (300 to 1200 pixels, "
                "dark on light, coloured, off centre, unevenly lit, as JPEGs, some on their side):"
            ),
            "",
            *_table(rows),
            "",
        ]
    )


def installed() -> str:
    """What an installation weighs, and what it consists of."""
    rows = [["install", "brings, beside edgeproof itself", "MB"], ["---", "---", "---:"]]
    for way, packages in reports.read("runtime", "installed")["installed"].items():
        brought = ", ".join(name for name in packages if name != "edgeproof")
        size = sum(each["size_bytes"] for each in packages.values()) / 1e6
        rows.append([f"`pip install '{way}'`", brought, f"{size:.0f}"])
    return "\n".join([*_table(rows), ""])


FIGURES: Final[dict[str, Callable[[], str]]] = {
    "models": models,
    "reference benchmark": reference_benchmark,
    "peers": peers,
    "overhead": overhead,
    "at work": at_work,
    "photographs": photographs,
    "installed": installed,
}


def _model_figures(folder: str) -> list[str]:
    trained = reports.read(folder, "train")
    int8 = reports.int8(reports.read(folder, "export"))
    parity, taught_by = int8["parity"], reports.forebears(folder)
    return [
        f"{trained['parameters']:,}",
        _right_as_floats(folder),
        cards.percent(parity["accuracy"]),
        cards.spread(cards.seeds(reports.REPORTS / folder)),
        cards.percent(parity["agreement"]),
        f"{int8['size_bytes'] / 1000:.1f}",
        f"{reports.cpu_hours(folder):.1f} + {sum(map(reports.cpu_hours, taught_by)):.1f}",
    ]


def _command(folder: str) -> str:
    """What trains a model again: by its recipe, where it has one."""
    if (recipe.FOLDER / f"{folder}.toml").is_file():
        return f"python -m train --config {folder} --out runs/{folder}"
    return str(reports.read(folder, "train")["command"])


def _right_as_floats(folder: str) -> str:
    return cards.percent(reports.read(folder, "train")["test_accuracy"])


def _table(rows: list[list[str]]) -> list[str]:
    return [f"| {' | '.join(row)} |" for row in rows]


if __name__ == "__main__":
    raise SystemExit(main())
