"""`pip install .` on a device that has nothing yet."""

from __future__ import annotations

import pytest

from scripts.installed import installed

pytestmark = pytest.mark.slow


def test_a_bare_install_brings_numpy_and_pillow_and_nothing_else() -> None:
    found = installed(".")
    assert set(found) == {"edgeproof", "numpy", "pillow"}
    assert all(each["size_bytes"] > 100_000 for each in found.values())
