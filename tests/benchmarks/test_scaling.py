"""Scaling, on a small scale."""

from __future__ import annotations

import dataclasses
import json
import re
from pathlib import Path

import pytest

from benchmarks.cli import main
from benchmarks.scaling import views
from benchmarks.scaling.measure import Plan, counts, measure
from benchmarks.scaling.report import ScalingReport
from benchmarks.settings import Settings
from benchmarks.views.curves import Axis, Series, curves
from edge_runtime.errors import InputError
from tests.conftest import RUNNABLE

MODEL = Path(__file__).parents[1] / "models" / f"halves.int8.{RUNNABLE[0]}"
SMALL = Plan(
    pictures=(1, 50),
    parameters=(1_000, 4_000),
    threaded=(1_000,),
    threads=(1, 2),
    timing=Settings(blocks=1, rounds=2, seconds=0.01, processes=1, peak_seconds=0),
)


@pytest.fixture(scope="module")
def report() -> ScalingReport:
    return measure(MODEL, SMALL)


@pytest.mark.slow
def test_every_size_is_measured_and_kept(report: ScalingReport) -> None:
    assert [(one.pictures, one.from_files) for one in report.pictures] == [
        (1, False),
        (1, True),
        (50, False),
        (50, True),
    ]
    for one in report.pictures:
        assert 0 < one.classifying_seconds < one.process_seconds
    assert len(report.models) == 2 * len(RUNNABLE)
    for model in report.models:
        assert model.p50_ms > 0
        assert model.size_bytes > 4 * model.parameters
    assert [one.num_threads for one in report.threads] == [1, 2] * len(RUNNABLE)
    assert len(report.engines) == len(RUNNABLE)
    assert ScalingReport.from_json(report.to_json()) == report


@pytest.mark.slow
def test_a_page_shows_a_table_and_a_plot_of_each(report: ScalingReport) -> None:
    page, plots = views.markdown(report, "scaling"), views.plots(report)
    assert list(plots) == ["pictures", "models", "threads"]
    for name, plot in plots.items():
        assert f"](scaling-{name}.svg)" in page
        assert plot.startswith("<svg ")
        assert 'xmlns="http://www.w3.org/2000/svg"' in plot
        assert "nan" not in plot
    assert page.count("\n| --- |") == 3


@pytest.mark.slow
def test_the_command_writes_page_plots_and_figures(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "scaling.json"
    command = ["scaling", str(MODEL), "--max-pictures", "1", "--max-parameters", "10000"]
    assert main([*command, "--report", str(path)]) == 0
    assert "More pictures" in capsys.readouterr().out
    assert json.loads(path.read_text())["schema"] == 1
    assert sorted(one.name for one in tmp_path.iterdir()) == [
        "scaling-models.svg",
        "scaling-pictures.svg",
        "scaling-threads.svg",
        "scaling.json",
        "scaling.md",
    ]
    assert main([*command, "--report", str(path)]) == 2, "an existing report is refused"


def test_the_page_names_the_engines_and_one_from_before_they_were_named_is_read() -> None:
    old = Path("docs/reports/scaling/scaling.json").read_text(encoding="utf-8")
    report = ScalingReport.from_json(old)
    assert report.engines == ()
    named = dataclasses.replace(report, engines=("ai-edge-litert 2.3.0", "onnxruntime 1.31.1"))
    assert "2 cores, ai-edge-litert 2.3.0, onnxruntime 1.31.1, " in views.markdown(named, "scaling")


@pytest.mark.parametrize("flag", ["--max-pictures", "--max-parameters"])
@pytest.mark.parametrize("value", ["0", "-1", "many"])
def test_how_far_to_go_is_a_number(flag: str, value: str) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["scaling", flag, value])
    assert stopped.value.code == 2


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"schema": 99}', '{"schema": 1}'])
def test_what_is_no_report_of_scaling_is_refused(text: str) -> None:
    with pytest.raises(InputError, match=r"not a report of scaling|newer than"):
        ScalingReport.from_json(text)


def test_threads_go_from_one_to_all_cores() -> None:
    assert counts(1) == [1]
    assert counts(4) == [1, 2, 3, 4]
    assert counts(40) == [1, 2, 3, 4, 5, 6, 7, 8, 16, 32, 40]


def test_a_curve_goes_where_its_figures_are() -> None:
    axis = Axis("", str)
    drawn = curves("", axis, axis, [Series("a", [(1, 1), (10, 10), (100, 100)], 0)])
    places = re.findall(r'<circle cx="([\d.]+)" cy="([\d.]+)" r="4"', drawn)
    (x1, y1), (x2, y2), (x3, y3) = ((float(x), float(y)) for x, y in places)
    assert x2 - x1 == pytest.approx(x3 - x2, abs=0.2)
    assert y1 - y2 == pytest.approx(y2 - y3, abs=0.2) != 0


def test_a_single_figure_can_be_drawn() -> None:
    for logarithmic in (True, False):
        axis = Axis("", str, logarithmic)
        assert "nan" not in curves("", axis, axis, [Series("a", [(2, 3)], 0)])
