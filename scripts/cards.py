"""Model cards, written from the reports: what a model is, how it was made, and what it is not for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from statistics import fmean, stdev
from typing import Any, Final

from scripts import reports

FOLDER: Final = reports.ROOT / "docs" / "models"

LIMITS: Final = """
- It knows these classes and nothing else: whatever it is shown, it answers with one of them, or
  with "not sure". It was not made to find clothes in a scene or to tell several pieces apart, and
  must not decide anything about a person.
- It learnt from catalogue photographs of single pieces, 28 pixels to a side, grey, on a plain
  background. Other cuts, cameras and backgrounds are another task: measure on your own first.
- Some labels of the data set are wrong, and shirts, T-shirts, pullovers and coats overlap.
""".strip()


def pages() -> dict[Path, str]:
    """The text of every card, by its path: one for each folder of docs/reports with a benchmark."""
    return {
        FOLDER / f"{folder.name}.md": "\n".join(_card(folder)) + "\n"
        for folder in sorted(reports.REPORTS.iterdir())
        if all((folder / f"{name}.json").is_file() for name in ("train", "export", "benchmarks"))
    }


def _card(folder: Path) -> Iterator[str]:
    train, export = (reports.read_file(folder / f"{name}.json") for name in ("train", "export"))
    int8 = reports.int8(export)
    parity, data = int8["parity"], train["dataset"]
    yield f"# {folder.name}"
    yield ""
    yield (
        f"A picture classifier for {data['name']}: {len(data['labels'])} classes, "
        f"{train['parameters']:,} parameters, `{int8['file']}` of {int8['size_bytes']:,} bytes, "
        f"{bare_bytes(folder):,} without its golden samples."
    )
    yield "This page is written from `docs/reports` by `make figures`."
    yield ""
    yield "| | |"
    yield "| --- | ---: |"
    yield f"| right as int8, % of {parity['images']:,} test pictures | {percent(parity['accuracy'])} |"
    yield f"| right as Keras floats, % | {percent(parity['reference_accuracy'])} |"
    yield f"| same answer from both, % | {percent(parity['agreement'])} |"
    yield from _seeds(folder)
    yield from _photographs(folder, int8["sha256"])
    yield ""
    yield "## Data"
    yield ""
    images = data["images"]
    yield (
        f"{images['train']:,} pictures taught, {images['validation']:,} chose the epoch and the "
        f'"not sure" threshold, {images["test"]:,} judged what came of it. SHA-256 of '
        "the files:"
    )
    yield ""
    yield from (f"- `{name}`: `{digest}`" for name, digest in data["sha256"].items())
    yield ""
    yield "## Recipe"
    yield ""
    yield f"    {train['command']}"
    yield ""
    versions = ", ".join(f"{name} {number}" for name, number in train["versions"].items())
    yield (
        f"{train['epochs']} epochs, {train['cpu_seconds'] / 3600:.1f} hours of processor time; "
        f"epoch {train['kept_epoch']} was best on the validation pictures and is kept. {versions}."
    )
    if taught_by := sorted(reports.forebears(folder.name)):
        hours = sum(map(reports.cpu_hours, taught_by))
        yield ""
        yield (
            f"Its [teacher](../decisions/0015-three-models-one-teacher.md) and what that learnt from "
            f"({', '.join(taught_by)}) took {hours:.1f} hours of processor time before."
        )
    yield ""
    yield "## Accuracy by class"
    yield ""
    yield from _classes(folder)
    confused = "; ".join(
        f"{pair['actual']} taken for {pair['predicted']} ({pair['pictures']} of {pair['of']:,})"
        for pair in train["most_confused"]
    )
    yield ""
    yield f"Most confused, as Keras floats: {confused}."
    yield ""
    yield "## What it was not made for"
    yield ""
    yield LIMITS


def seeds(folder: Path) -> list[float]:
    """How much the int8 file of each seed gets right, in %: others than 0 are in `seed-1` and so on."""
    exports = (folder / "export.json", *sorted(folder.glob("seed-*/export.json")))
    recipes = [_recipe(path.with_name("train.json")) for path in exports]
    if strange := [path for path, each in zip(exports, recipes, strict=True) if each != recipes[0]]:
        raise ValueError(f"{strange[0]} is of another recipe than {exports[0]}; remove it")
    return [100 * reports.int8(reports.read_file(path))["parity"]["accuracy"] for path in exports]


def _recipe(path: Path) -> dict[str, Any]:
    """The config of a training, but for its seed."""
    return {key: value for key, value in reports.read_file(path)["config"].items() if key != "seed"}


def _seeds(folder: Path) -> Iterator[str]:
    shares = seeds(folder)
    if len(shares) == 1:
        yield f"| seeds | {spread(shares)} |"
        return
    each = ", ".join(f"{share:.2f}" for share in shares)
    yield f"| mean and standard deviation of the seeds ({each}), int8, % | {spread(shares)} |"


def spread(shares: Sequence[float]) -> str:
    """Mean, standard deviation and number of seeds; of one, that it is one."""
    if len(shares) == 1:
        return "one"
    return f"{fmean(shares):.2f} ± {stdev(shares):.2f} of {len(shares)}"


def _photographs(folder: Path, sha256: str) -> Iterator[str]:
    report = reports.read("runtime", "photographs")
    measured = report["models"].get(folder.name)
    if measured and measured["sha256"] == sha256:
        right = percent(measured["accuracy_photographs"])
        yield f"| right as int8, % of {report['photographs']:,} rendered photographs | {right} |"
        yield f"| difference to their originals, points [95 %] | {on_photographs(measured)} |"


def on_photographs(measured: Mapping[str, Any]) -> str:
    """What photographs cost a model, with its interval, in points."""
    low, high = measured["interval_points"]
    return f"{measured['difference_points']:+.2f} [{low:+.2f}, {high:+.2f}]"


def bare_bytes(folder: Path) -> int:
    """The size of a model's int8 file without its golden samples."""
    measured = _measured(folder)
    return int(measured["size_bytes"] - measured["size"]["golden_bytes"])


def _measured(folder: Path) -> Any:
    """What the benchmark found of a model's int8 `.tflite`."""
    file = reports.int8(reports.read_file(folder / "export.json"))["file"]
    measured = reports.read_file(folder / "benchmarks.json")["measurements"]
    (found,) = (each for each in measured if Path(each["file"]).name == file)
    return found


def _classes(folder: Path) -> Iterator[str]:
    accuracy = _measured(folder)["accuracy"]
    yield "| class | pictures | right as int8, % |"
    yield "| --- | ---: | ---: |"
    for each in accuracy["classes"]:
        share = percent(each["right"] / each["pictures"])
        yield f"| {each['label']} | {each['pictures']:,} | {share} |"


def percent(share: float) -> str:
    """A share in per cent, without the sign."""
    return f"{100 * share:.2f}"
