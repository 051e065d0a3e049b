"""Write README.md's figures and docs/models anew from docs/reports; `--check` only compares."""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import cards

from benchmarks import peers as benchmark_peers
from benchmarks import render, tables
from benchmarks import report as benchmark_report

ROOT: Final = Path(__file__).parents[1]
REPORTS: Final = ROOT / "docs" / "reports"
PAGES: Final = (ROOT / "README.md",)
MODELS: Final = {"mlp": "`mlp`, the tutorial's", "reference": "`cnn`, the one inside"}
_BLOCK: Final = re.compile(r"(<!-- figures: (.+?) -->\n).*?(<!-- end -->)", re.DOTALL)


def main() -> int:
    """Fill the blocks, or with --check say whether they are up to date."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="change nothing; exit 1 if outdated")
    check = parser.parse_args().check
    outdated = []
    for page, filled in {**_filled(), **cards.pages()}.items():
        if not page.is_file() or page.read_text(encoding="utf-8") != filled:
            outdated.append(page.name)
            if not check:
                page.parent.mkdir(exist_ok=True)
                page.write_text(filled, encoding="utf-8")
    if check and outdated:
        print(f"figures out of date in {', '.join(outdated)}; run `make figures`")
    return 1 if check and outdated else 0


def _filled() -> dict[Path, str]:
    """The text of every page, its blocks filled."""
    return {
        page: _BLOCK.sub(
            lambda block: f"{block[1]}{FIGURES[block[2]]()}{block[3]}",
            page.read_text(encoding="utf-8"),
        )
        for page in PAGES
    }


def models() -> str:
    """What each model is, how right it is, and what its int8 file makes of that."""
    rows = [
        ["model", "parameters", "Keras, % right", "int8 file, % right", "agreement, %", "int8, kB"],
        ["---", *["---:"] * 5],
        *([name, *_model_figures(folder)] for folder, name in MODELS.items()),
    ]
    pictures = _report("mlp", "export")["reference"]["images"]
    commands = [
        f"{name}: `{_report(folder, 'train')['command']}`" for folder, name in MODELS.items()
    ]
    return "\n".join(
        [
            *_table(rows),
            "",
            f"On the {pictures:,} test pictures, the int8 `.tflite` through `edge_runtime`.",
            "",
            *(f"- {line}" for line in commands),
            "",
        ]
    )


def reference_benchmark() -> str:
    """The benchmark of the reference model's files."""
    report = benchmark_report.read(REPORTS / "reference" / "benchmarks.json")
    lines: list[str] = []
    for table in tables.tables(report):
        if not table.title.startswith(("Accuracy", "Speed", "Start-up")):
            continue
        lines += [f"**{table.title}**", "", *render.markdown_table(table), ""]
    return "\n".join(
        [*lines, f"{report.machine.cpu}, {report.machine.cores} cores, {report.started[:10]}.", ""]
    )


def peers() -> str:
    """This runtime beside the other ways to classify a picture."""
    path = REPORTS / "reference" / "peers.json"
    report = benchmark_peers.PeersReport.from_json(path.read_text(encoding="utf-8"))
    return "\n".join(
        [
            *render.markdown_table(benchmark_peers.table(report)),
            "",
            *(f"- {line}" for line in benchmark_peers.skipped(report)),
            (
                f"One thread, {report.pictures:,} pictures, load {report.load_1min:.1f} on "
                f"{report.machine.cores} cores; {report.machine.cpu}, {report.started[:10]}."
            ),
            "",
        ]
    )


FIGURES: Final[dict[str, Callable[[], str]]] = {
    "models": models,
    "reference benchmark": reference_benchmark,
    "peers": peers,
}


def _model_figures(folder: str) -> list[str]:
    trained = _report(folder, "train")
    (int8,) = (
        variant
        for variant in _report(folder, "export")["variants"]
        if (variant["format"], variant["precision"]) == ("tflite", "int8")
    )
    parity = int8["parity"]
    return [
        f"{trained['parameters']:,}",
        f"{trained['test_accuracy']:.2%}".rstrip("%"),
        f"{parity['accuracy']:.2%}".rstrip("%"),
        f"{parity['agreement']:.2%}".rstrip("%"),
        f"{int8['size_bytes'] / 1000:.1f}",
    ]


def _report(folder: str, stage: str) -> Any:
    return json.loads((REPORTS / folder / f"{stage}.json").read_text(encoding="utf-8"))


def _table(rows: list[list[str]]) -> list[str]:
    return [f"| {' | '.join(row)} |" for row in rows]


if __name__ == "__main__":
    raise SystemExit(main())
