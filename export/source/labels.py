"""A file of labels as other tools write it → the labels in the order of the model's outputs."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from edge_runtime.errors import InputError

_NUMBERED: Final = re.compile(r"(\d+)(?:\s*[:,]\s*|\s+)(.*\S)")


def read(path: Path) -> tuple[str, ...]:
    """Read labels.

    Args:
        path: text with one label a line, each plain, as `3 label` or as `3:label`; or JSON: a list,
            an object from number to label or from label to number, or one of these under
            `id2label`.

    Raises:
        InputError: the file cannot be read, or its numbers are not 0, 1, 2 … without a gap.
    """
    try:
        text = path.read_text(encoding="utf-8-sig").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"cannot read --labels {path}: {error}") from error
    if not text:
        raise InputError(f"--labels {path} is empty; write one label a line")
    if text[0] in "[{":
        return _from_json(path, text)
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    numbered = [_NUMBERED.fullmatch(line) for line in lines]
    pairs = [(int(match[1]), match[2]) for match in numbered if match]
    # Labels may begin with a number by chance ("3 of hearts"): only a full count is numbering.
    if len(pairs) == len(lines) and sorted(number for number, _ in pairs) == [*range(len(lines))]:
        return _ordered(path, pairs)
    return tuple(lines)


def _from_json(path: Path, text: str) -> tuple[str, ...]:
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InputError(f"--labels {path} is no JSON ({error}); mend it") from error
    if isinstance(document, Mapping):
        document = document.get("id2label", document)
    if isinstance(document, list) and all(isinstance(label, str) for label in document):
        return tuple(document)
    if isinstance(document, Mapping):
        pairs = [_pair(key, value) for key, value in document.items()]
        if None not in pairs:
            return _ordered(path, [pair for pair in pairs if pair is not None])
    raise InputError(
        f'--labels {path}: expected a list of labels, or an object such as {{"0": "cat"}}'
    )


def _pair(key: str, value: Any) -> tuple[int, str] | None:
    if isinstance(value, str) and key.isdecimal():
        return int(key), value
    if isinstance(value, int) and not isinstance(value, bool):  # Keras' `class_indices`
        return value, key
    return None


def _ordered(path: Path, pairs: list[tuple[int, str]]) -> tuple[str, ...]:
    numbers = sorted(number for number, _ in pairs)
    if numbers != [*range(len(pairs))]:
        raise InputError(
            f"--labels {path} numbers its labels {numbers[:3]} … {numbers[-1]}, "
            f"expected 0 to {len(pairs) - 1} without a gap"
        )
    return tuple(label for _, label in sorted(pairs))
