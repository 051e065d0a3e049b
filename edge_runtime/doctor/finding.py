"""One thing that the doctor found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Level = Literal["ok", "note", "problem"]


@dataclass(frozen=True)
class Finding:
    """What was looked at, how it is, and what to type where it is not well."""

    level: Level
    topic: str  # python, engine, camera …
    text: str
    command: str | None = None
