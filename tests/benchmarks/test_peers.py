from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from benchmarks.evaluation import load
from benchmarks.machine import describe
from benchmarks.peers.installed import version
from benchmarks.peers.measure import measure
from benchmarks.peers.report import Peer, PeersReport
from benchmarks.peers.rivals import Rival, rivals
from benchmarks.peers.table import peers_table, skipped
from edge_runtime.errors import InputError, ModelError

Folder = Callable[..., Path]


def named(*names: str) -> list[Rival]:
    return [rival for rival in rivals() if rival.name in names]


def test_peers_classify_the_same_pictures_and_those_missing_say_why(folder: Folder) -> None:
    pytest.importorskip("ai_edge_litert")
    home = folder("int8.tflite")
    absent = Rival("absent", "no_such_engine", ("no-such-engine",), "tflite")
    report = measure(
        {"tflite": home / "halves.int8.tflite"},
        load(home / "evaluation.npz"),
        among=[*named("edgeproof", "LiteRT by hand", "ONNX Runtime by hand"), absent],
        rounds=1,
        seconds=0.01,
    )
    own, by_hand, onnx, missing = report.peers
    for peer in (own, by_hand):
        assert peer.skipped is None
        assert peer.accuracy == 1.0
        assert peer.p50_ms is not None
        assert 0 < peer.p50_ms < 10
        assert peer.start_ms is not None
        assert peer.start_ms > peer.p50_ms
        assert peer.peak_bytes is not None
        assert peer.peak_bytes > 10e6
        assert peer.installed_bytes is not None
        assert peer.installed_bytes > 50e6
    assert onnx.skipped == "no file for it was given (an .onnx file)"
    assert missing.skipped == "no-such-engine is not installed"
    assert [row[0] for row in peers_table(report).rows] == ["edgeproof", "LiteRT by hand"]
    assert skipped(report)[1] == "absent: not measured, no-such-engine is not installed"
    assert PeersReport.from_json(report.to_json()) == report


def test_pictures_that_are_not_the_models_are_refused_before_anything_is_measured(
    folder: Folder,
) -> None:
    home = folder("int8.tflite", images=np.zeros((200, 9, 9, 1), np.uint8))
    with pytest.raises(ModelError, match=r"\(9, 9, 1\), the model takes \(8, 8, 1\)"):
        measure({"tflite": home / "halves.int8.tflite"}, load(home / "evaluation.npz"))


def test_a_peer_that_fails_leaves_the_others_measured(folder: Folder) -> None:
    pytest.importorskip("onnxruntime")
    home = folder("int8.tflite", "int8.onnx")
    (home / "halves.int8.onnx").write_bytes(b"nothing")
    report = measure(
        {"tflite": home / "halves.int8.tflite", "onnx": home / "halves.int8.onnx"},
        load(home / "evaluation.npz", limit=10),
        among=named("LiteRT by hand", "ONNX Runtime by hand"),
        rounds=1,
        seconds=0.01,
    )
    fine, broken = report.peers
    assert fine.skipped is None
    assert "halves.int8.onnx" in (broken.skipped or "")


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"started": 1}'])
def test_what_is_no_report_of_peers_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="not a report of peers"):
        PeersReport.from_json(text)


def test_a_report_of_peers_has_a_schema_number_and_one_from_before_is_read() -> None:
    old = Path("docs/reports/small/peers.json").read_text(encoding="utf-8")
    report = PeersReport.from_json(old)
    document = json.loads(report.to_json())
    assert document.pop("schema") == 1
    assert PeersReport.from_json(json.dumps(document)) == report
    with pytest.raises(InputError, match="schema 99 is newer than 1; upgrade edgeproof"):
        PeersReport.from_json(json.dumps({**document, "schema": 99}))


def test_a_p50_is_told_no_finer_than_the_tool_that_measured_it_knows() -> None:
    names = ("LiteRT by hand", "litert-benchmark")
    peers = tuple(Peer(name, "m.tflite", p50_ms=0.07) for name in names)
    report = PeersReport("2026-11-22", 0, None, describe(), peers)
    assert "Keras takes what it likes" in peers_table(report).title
    assert [row[2] for row in peers_table(report).rows] == ["70.0", "70 ± 5"]


def test_a_package_under_another_name_has_no_version_and_ends_nothing() -> None:
    assert version("numpy")
    assert version("no-such-package") is None
