"""What a benchmark is compared with: an earlier report, or earlier model files in the same run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks import compare, report
from benchmarks.compare import Change
from benchmarks.report import BenchmarkReport, Measurement
from benchmarks.settings import Limits
from benchmarks.sources import model_files


@dataclass(frozen=True)
class Baseline:
    """An earlier report, or else files that are to be measured along."""

    earlier: BenchmarkReport | None
    files: tuple[Path, ...] = ()

    def compare(self, measured: BenchmarkReport, limits: Limits) -> list[Change]:
        """Compare what was measured with the baseline.

        Raises:
            InputError: no file is in both.
        """
        if self.earlier is not None:
            return compare.compare(self.earlier, measured, limits)
        return compare.compare_within(measured, [str(file) for file in self.files], limits)


def load(path: Path, models: Sequence[Path]) -> Baseline:
    """Read a baseline, before anything is measured.

    Args:
        path: a report's JSON, a model file, or a folder of model files.
        models: what will be measured, files and folders. Of files that an earlier report has too,
            a folder without them has lost some; a file named alone has not.

    Raises:
        UsageError: there is no such report, or there are no such model files.
        InputError: it is no benchmark report, or has no file in common with those to be measured.
    """
    files = model_files(models)
    if path.suffix.lower() != ".json":
        old = model_files([path])
        compare.pair(_rows(old), _rows([file for file in files if file not in old]))
        return Baseline(None, tuple(old))
    earlier = report.read(path)
    pairs = compare.pair(earlier.measurements, _rows(files))
    if not any(model.is_dir() for model in models):
        kept = tuple(before for before, after in pairs if before and after)
        earlier = replace(earlier, measurements=kept)
    return Baseline(earlier)


def _rows(files: Sequence[Path]) -> list[Measurement]:
    return [Measurement(str(file)) for file in files]
