"""The page of an export, as text: charts are drawn from real figures and nothing is fetched."""

from __future__ import annotations

from dataclasses import replace
from html.parser import HTMLParser

import numpy as np

from edge_runtime.parity import compare
from edge_runtime.spec import Reference
from export import ExportReport, Limits, VariantReport
from export.page import render
from export.verify import Answers

LABELS = ("<b>", "dog", "owl")


class Tags(HTMLParser):
    """Counts what a page holds, and complains of tags that are not closed."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.count: dict[str, int] = {}
        self.open: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.count[tag] = self.count.get(tag, 0) + 1
        assert not {"src", "href"} & {name for name, _ in attrs}
        if tag not in ("meta", "html", "title"):
            self.open.append(tag)

    def handle_startendtag(self, tag: str, _attrs: list[tuple[str, str | None]]) -> None:
        self.count[tag] = self.count.get(tag, 0) + 1

    def handle_endtag(self, tag: str) -> None:
        if tag not in ("html", "title"):
            assert self.open.pop() == tag


def page(*, labelled: bool, left_out: int = 0) -> str:
    random = np.random.default_rng(0)
    reference = random.dirichlet(np.ones(3) / 2, 200).astype(np.float32)
    labels = reference.argmax(axis=1) if labelled else None
    others = random.dirichlet(np.ones(3) / 2, 200).astype(np.float32)
    mixed = np.where(random.random((200, 1)) < 0.9, reference, others)
    rows = np.sort(random.permutation(200)[:50])  # as of a file that is slow
    answers = {
        "it.float32.tflite": Answers(
            compare(reference, reference, labels), reference, np.arange(200)
        ),
        "it.int8.tflite": Answers(
            compare(reference[rows], mixed[rows], None if labels is None else labels[rows]),
            mixed[rows],
            rows,
        ),
    }
    variants = tuple(
        VariantReport(
            file, "tflite", "int8", published=index >= left_out, size_bytes=100_000 * (2 - index),
            parity=each.parity, latency_ms=0.1, min_runtime="TensorFlow Lite 2.4.0",
            layers={"first": 0.5, "<i>": 0.01} if index else {}, golden_samples=16,
        )
        for index, (file, each) in enumerate(answers.items())
    )  # fmt: skip
    broken = VariantReport("it.int8.onnx", "onnx", "int8", published=False, problems=("a < b",))
    report = ExportReport(
        name="it",
        source="it.keras",
        source_sha256="0" * 64,
        reference=Reference(1.0, 200, "it") if labelled else None,
        limits=Limits(),
        versions={},
        seconds=1.0,
        variants=(*variants, broken),
        labels=LABELS,
        recommended="it.int8.tflite",
    )
    return render(replace(report), reference=reference, answers=answers, labels=labels)


def test_the_page_draws_every_file_and_escapes_what_others_wrote() -> None:
    text = page(labelled=True)
    tags = Tags(text)
    assert tags.open == []
    # Size, classes, the layers of the one int8 file, and a histogram per file that could be run.
    assert tags.count["svg"] == 5
    assert "&lt;i&gt;" in text
    assert "TensorFlow Lite 2.4.0" in text
    assert tags.count["circle"] == 2 + 2 * len(LABELS)
    assert "a &lt; b" in text
    assert "<b>" not in text
    assert "ssh pi python3 -m edge_runtime check it.int8.tflite" in text


def test_nothing_is_drawn_of_a_file_that_is_left_out() -> None:
    text = page(labelled=True, left_out=1)
    assert Tags(text).count["svg"] == 4
    assert Tags(text).count["circle"] == 1 + len(LABELS)
    assert "<figcaption>float32.tflite" not in text
    assert '<span class="key"></span> float32.tflite' in text
    assert '<span class="key c0"></span> int8.tflite' in text
    assert "svg" not in Tags(page(labelled=True, left_out=2)).count


def test_without_labels_the_page_shows_agreement() -> None:
    text = page(labelled=False)
    assert Tags(text).count["svg"] == 4
    assert "Size against agreement" in text


def test_the_same_export_gives_the_same_page() -> None:
    assert page(labelled=True) == page(labelled=True)
