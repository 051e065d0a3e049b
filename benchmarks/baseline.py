"""What a benchmark is compared with: an earlier report, or earlier model files in the same run."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from benchmarks import compare, report
from benchmarks.compare import Change
from benchmarks.report import BenchmarkReport
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


def load(path: Path) -> Baseline:
    """Read a baseline.

    Args:
        path: a report's JSON, a model file, or a folder of model files.

    Raises:
        UsageError: there is no such report, or there are no such model files.
        InputError: it is no benchmark report.
    """
    if path.suffix.lower() == ".json":
        return Baseline(report.read(path))
    return Baseline(None, tuple(model_files([path])))
