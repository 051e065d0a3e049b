"""Write the figures of README.md, the model cards and the page of scaling from docs/reports.

`--check` only compares.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from benchmarks.scaling import views as scaling
from benchmarks.scaling.report import ScalingReport
from scripts import cards, reports
from scripts.figures import models, photographs, runtime, speed

README: Final = reports.ROOT / "README.md"
BLOCKS: Final[Mapping[str, Callable[[], str]]] = {
    "models": models.models,
    "reference benchmark": speed.reference_benchmark,
    "peers": speed.peers,
    "overhead": runtime.overhead,
    "at work": runtime.at_work,
    "photographs": photographs.photographs,
    "installed": runtime.installed,
}
_BLOCK: Final = re.compile(r"(<!-- figures: (.+?) -->\n).*?(<!-- end -->)", re.DOTALL)


def main() -> int:
    """Write the pages, or with --check say whether they are up to date."""
    parser = argparse.ArgumentParser(
        prog="python -m scripts.figures", description=__doc__.partition("\n")[0]
    )
    parser.add_argument("--check", action="store_true", help="change nothing; exit 1 if outdated")
    check = parser.parse_args().check
    outdated = []
    for page, wanted in pages().items():
        if not page.is_file() or page.read_text(encoding="utf-8") != wanted:
            outdated.append(page.name)
            if not check:
                page.parent.mkdir(exist_ok=True)
                page.write_text(wanted, encoding="utf-8")
    if check and outdated:
        print(f"figures out of date in {', '.join(outdated)}; run `make figures`")
    return 1 if check and outdated else 0


def pages() -> dict[Path, str]:
    """Every page as its reports would have it."""
    return {README: _readme(), **cards.pages(), **_scaling()}


def _readme() -> str:
    """The page as it is, with its blocks of figures filled anew."""
    return _BLOCK.sub(
        lambda block: f"{block[1]}{BLOCKS[block[2]]()}{block[3]}",
        README.read_text(encoding="utf-8"),
    )


def _scaling() -> dict[Path, str]:
    """The page of scaling and its plots."""
    folder = reports.REPORTS / "scaling"
    report = ScalingReport.from_json((folder / "scaling.json").read_text(encoding="utf-8"))
    plots = {folder / f"scaling-{name}.svg": plot for name, plot in scaling.plots(report).items()}
    return {folder / "scaling.md": scaling.markdown(report, "scaling"), **plots}


if __name__ == "__main__":
    raise SystemExit(main())
