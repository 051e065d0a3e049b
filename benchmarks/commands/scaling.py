"""`python -m benchmarks scaling`: what happens to the cost as the work grows."""

from __future__ import annotations

import argparse
from pathlib import Path

from benchmarks.commands import common

PLOTS = ("pictures", "models", "threads")


def parser() -> argparse.ArgumentParser:
    """The flags of scaling."""
    made = common.parser(
        "scaling",
        "Measure pictures from 1 to 100,000, models from 10 thousand to 5 million parameters, and "
        "threads from 1 to all cores. The models are made on the spot. Takes a few minutes.",
    )
    made.add_argument(
        "model",
        type=Path,
        nargs="?",
        metavar="MODEL",
        help="that classifies the pictures (default: the Fashion-MNIST model inside)",
    )
    made.add_argument(
        "--max-pictures",
        type=_positive,
        default=100_000,
        metavar="N",
        help="(default: %(default)s)",
    )
    made.add_argument(
        "--max-parameters",
        type=_positive,
        default=5_000_000,
        metavar="N",
        help="of a model (default: %(default)s)",
    )
    common.add_report(made, "FILE.md with FILE-pictures.svg, FILE-models.svg, FILE-threads.svg")
    return made


def run(arguments: argparse.Namespace) -> int:
    """Measure, show and write."""
    common.require_places(arguments, ".md", *(f"-{name}.svg" for name in PLOTS))

    from benchmarks.scaling import views
    from benchmarks.scaling.measure import Plan, measure
    from benchmarks.views import terminal
    from benchmarks.views.table import plain_table
    from edge_runtime.models import default_model

    whole = Plan()
    plan = Plan(
        pictures=tuple(n for n in whole.pictures if n <= arguments.max_pictures) or (1,),
        parameters=_up_to(whole.parameters, arguments.max_parameters),
        threaded=_up_to(whole.threaded, arguments.max_parameters),
    )
    with terminal.progress() as progress:
        report = measure(arguments.model or default_model(), plan, progress)
    try:  # First what lasts: a reader of the terminal may have gone, as `head` has.
        if arguments.report is not None:
            drawn = {f"-{name}.svg": plot for name, plot in views.plots(report).items()}
            page = views.markdown(report, arguments.report.stem)
            common.write_report(arguments, {**drawn, ".md": page, ".json": report.to_json()})
    finally:
        print("\n\n".join("\n".join(plain_table(table)) for table in views.tables(report)))
    return 0


def _up_to(sizes: tuple[int, ...], largest: int) -> tuple[int, ...]:
    return tuple(size for size in sizes if size <= largest) or sizes[:1]


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text} is no number from 1 up")
    return int(text)
