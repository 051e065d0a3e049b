"""What is settled before TensorFlow is loaded, and what no longer can be."""

from __future__ import annotations

import os
import sys
from types import ModuleType

import pytest

from train import framework

SWITCH = "TF_ENABLE_ONEDNN_OPTS"


@pytest.mark.parametrize("loaded", [False, True])
def test_onednn_is_left_out_only_while_tensorflow_would_notice(
    monkeypatch: pytest.MonkeyPatch, loaded: bool
) -> None:
    # What this process starts inherits the switch, and must compute as the process itself does.
    monkeypatch.setenv(SWITCH, "")
    monkeypatch.delenv(SWITCH)
    if loaded:
        monkeypatch.setitem(sys.modules, "tensorflow", ModuleType("tensorflow"))
    else:
        monkeypatch.delitem(sys.modules, "tensorflow", raising=False)
    framework.leave_out_onednn()
    assert os.environ.get(SWITCH) == (None if loaded else "0")


def test_what_a_person_has_set_for_onednn_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "tensorflow", raising=False)
    monkeypatch.setenv(SWITCH, "1")
    framework.leave_out_onednn()
    assert os.environ[SWITCH] == "1"
