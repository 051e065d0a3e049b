"""The reports that figures in pages come from: docs/reports, a folder for each model and topic."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).parents[1]
REPORTS: Final = ROOT / "docs" / "reports"


def read(folder: str, stage: str) -> Any:
    """What one stage reported of a model or topic."""
    return read_file(REPORTS / folder / f"{stage}.json")


def read_file(path: Path) -> Any:
    """The content of a report."""
    return json.loads(path.read_text(encoding="utf-8"))


def int8(export: Mapping[str, Any]) -> Any:
    """What the report of an export says of its int8 `.tflite`."""
    (found,) = (
        variant
        for variant in export["variants"]
        if (variant["format"], variant["precision"]) == ("tflite", "int8")
    )
    return found


def cpu_hours(folder: str) -> float:
    """Processor time of a model's own training."""
    return float(read(folder, "train")["cpu_seconds"]) / 3600


def forebears(folder: str) -> set[str]:
    """The models that a model learnt from, and what those learnt from: by their reports' folders."""
    config = read(folder, "train")["config"]
    near = {Path(run).name for run in (*(config["teacher"] or ()), config.get("start")) if run}
    return near.union(*map(forebears, near))
