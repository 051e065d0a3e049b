from __future__ import annotations

from pathlib import Path

import pytest

from edge_runtime import labels
from edge_runtime.errors import InputError


@pytest.mark.parametrize(
    "text",
    [
        "cat\ndog\nowl\n",
        "\ufeffcat\r\n dog\r\n\r\nowl",
        "0 cat\n1 dog\n2 owl",
        "2: owl\n0:cat\n1 : dog",
        "0,cat\n1,dog\n2,owl",
        '["cat", "dog", "owl"]',
        '{"0": "cat", "2": "owl", "1": "dog"}',
        '{"id2label": {"0": "cat", "1": "dog", "2": "owl"}}',
        '{"dog": 1, "cat": 0, "owl": 2}',
    ],
)
def test_labels_are_read_however_other_tools_write_them(text: str, tmp_path: Path) -> None:
    path = tmp_path / "labels"
    path.write_text(text, encoding="utf-8")
    assert labels.read(path) == ("cat", "dog", "owl")


def test_labels_that_only_begin_with_numbers_keep_them(tmp_path: Path) -> None:
    path = tmp_path / "labels.txt"
    path.write_text("3 of hearts\n4 of hearts\n")
    assert labels.read(path) == ("3 of hearts", "4 of hearts")


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (" \n", "is empty"),
        ("1:cat\n2:dog\n3:owl", "has numbers that are not 0, 1, 2 … without a gap; mend them"),
        ('{"0": "cat", "2": "owl"}', r"numbers its labels \[0, 2\] … 2, expected 0 to 1"),
        ('{"0": {"name": "cat"}}', "expected a list of labels"),
        ("[1, 2]", "expected a list of labels"),
        (f'{{"{"9" * 5000}": "cat"}}', "expected a list of labels"),
        ('{"0": "cat"', "is no JSON"),
    ],
)
def test_what_is_no_list_of_labels_is_refused(text: str, complaint: str, tmp_path: Path) -> None:
    path = tmp_path / "labels.txt"
    path.write_text(text)
    with pytest.raises(InputError, match=complaint):
        labels.read(path)
