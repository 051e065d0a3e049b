"""What Linux says of itself, in the small files of /proc and /sys."""

from __future__ import annotations

from pathlib import Path


def field(path: Path, name: str, separator: str = ":") -> str | None:
    """The value of the first `name separator value` line of a file."""
    for line in (text(path) or "").splitlines():
        key, found, value = line.partition(separator)
        if found and key.strip() == name:
            return value.strip()
    return None


def text(path: Path) -> str | None:
    """A small file's text without what ends it; None where there is none."""
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip("\0\n ")
    except OSError:
        return None
