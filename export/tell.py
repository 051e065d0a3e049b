"""Saying what is being done, to whoever asked for the work."""

from __future__ import annotations

from collections.abc import Callable

Tell = Callable[[str], None]  # is given one short line a step


def nobody(_step: str) -> None:
    """For those who do not want to know."""
