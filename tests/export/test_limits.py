from __future__ import annotations

import pytest

from edge_runtime.errors import UsageError
from edge_runtime.spec import Parity
from export import Limits


def parity(agreement: float, points: float | None) -> Parity:
    return Parity(1000, agreement, 0.1, accuracy_difference_points=points)


def test_a_file_at_its_limits_is_fit() -> None:
    assert Limits().problems(parity(0.99, -0.5)) == ()


def test_a_file_that_got_better_is_fit() -> None:
    assert Limits().problems(parity(1.0, 3.0)) == ()


def test_every_limit_that_is_passed_is_told_with_its_figure() -> None:
    accuracy, agreement = Limits().problems(parity(0.9812, -1.25))
    assert accuracy == "accuracy drops by 1.25 points, more than 0.5"
    assert agreement == "agrees on 98.12% of the pictures, less than 99.00%"


def test_where_one_picture_is_too_many_more_are_asked_for() -> None:
    (few,) = Limits().problems(Parity(60, 59 / 60, 0.1))
    assert few.endswith("less than 99.00%: of 60 none may differ, so judge by 100 or more")
    assert "judge by" not in Limits().problems(Parity(100, 0.98, 0.1))[0]
    assert "judge by" not in Limits(min_agreement=1).problems(Parity(60, 59 / 60, 0.1))[0]


def test_without_true_labels_agreement_alone_decides() -> None:
    assert Limits().problems(parity(1.0, None)) == ()
    assert len(Limits().problems(parity(0.5, None))) == 1


@pytest.mark.parametrize(
    ("flag", "limits"),
    [
        ("--min-agreement", (0.5, 99.0)),
        ("--min-agreement", (0.5, float("nan"))),
        ("--max-accuracy-drop", (-1.0, 0.99)),
        ("--max-score-difference", (0.5, 0.99, 2.0)),
    ],
)
def test_a_limit_that_makes_no_sense_names_its_flag(flag: str, limits: tuple[float, ...]) -> None:
    with pytest.raises(UsageError, match=flag):
        Limits(*limits)


def test_all_limits_that_are_passed_are_told_together() -> None:
    limits = Limits(max_score_difference=0.05)
    problems = limits.problems(parity(0.9, -2.0))
    assert [problem.split()[0] for problem in problems] == ["accuracy", "agrees", "a"]
    assert problems[2] == "a probability differs by 0.1000, more than 0.05"
