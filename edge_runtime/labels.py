"""A file of labels as other tools write it → the labels in the order of the model's outputs."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from edge_runtime.errors import InputError

_DIGITS: Final = 9  # a label's number has no more; Python refuses to read thousands
_NUMBERED: Final = re.compile(r"(\d{1,9})(?:\s*[:,]\s*|\s+)(.*\S)")
MAX_BYTES: Final = 4 << 20


def read(path: Path, name: str | None = None) -> tuple[str, ...]:
    """Read a file of labels; see `parse`.

    Args:
        path: the file.
        name: what a complaint calls it.

    Raises:
        InputError: it cannot be read, or is not what `parse` expects.
    """
    name = name or f"--labels {path}"
    try:
        with path.open("rb") as file:
            return parse(file.read(MAX_BYTES + 1), name)
    except OSError as error:
        raise InputError(f"cannot read {name}: {error.strerror}; check the path") from error


def parse(content: bytes, name: str) -> tuple[str, ...]:
    """The labels in a file's content.

    Args:
        content: UTF-8 text with one label a line, each plain, as `3 label` or as `3:label`; or
            JSON: a list, an object from number to label or from label to number, or one of these
            under `id2label`.
        name: what a complaint calls it.

    Raises:
        InputError: it is no such text, or its numbers are not 0, 1, 2 … without a gap.
    """
    if len(content) > MAX_BYTES:
        raise InputError(f"{name} is larger than {MAX_BYTES >> 20} MiB; write one label a line")
    try:
        text = content.decode("utf-8-sig").strip()
    except UnicodeDecodeError as error:
        raise InputError(f"{name} is no UTF-8 text ({error}); write one label a line") from error
    if not text:
        raise InputError(f"{name} is empty; write one label a line")
    if text[0] in "[{":
        return _from_json(name, text)
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    numbered = [_NUMBERED.fullmatch(line) for line in lines]
    pairs = [(int(match[1]), match[2]) for match in numbered if match]
    # Labels may begin with a number by chance ("3 of hearts"): only a full count is numbering.
    if len(pairs) == len(lines) and sorted(number for number, _ in pairs) == [*range(len(lines))]:
        return _ordered(name, pairs)
    if all(re.match(r"\d+:", line) for line in lines):  # no chance either, but another count
        raise InputError(f"{name} has numbers that are not 0, 1, 2 … without a gap; mend them")
    return tuple(lines)


def told_apart(labels: tuple[str, ...]) -> tuple[str, ...]:
    """Labels that occur twice get their number: ImageNet has two kinds of crane."""
    counts = Counter(labels)
    return tuple(
        f"{label} ({number})" if counts[label] > 1 else label for number, label in enumerate(labels)
    )


def _from_json(name: str, text: str) -> tuple[str, ...]:
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{name} is no JSON ({error}); mend it") from error
    if isinstance(document, Mapping):
        document = document.get("id2label", document)
    if isinstance(document, list) and all(isinstance(label, str) for label in document):
        return tuple(document)
    if isinstance(document, Mapping):
        pairs = [_pair(key, value) for key, value in document.items()]
        if None not in pairs:
            return _ordered(name, [pair for pair in pairs if pair is not None])
    raise InputError(f'{name}: expected a list of labels, or an object such as {{"0": "cat"}}')


def _pair(key: str, value: Any) -> tuple[int, str] | None:
    if isinstance(value, str) and key.isdecimal() and len(key) <= _DIGITS:
        return int(key), value
    if isinstance(value, int) and not isinstance(value, bool):  # Keras' `class_indices`
        return value, key
    return None


def _ordered(name: str, pairs: list[tuple[int, str]]) -> tuple[str, ...]:
    numbers = sorted(number for number, _ in pairs)
    if numbers != [*range(len(pairs))]:
        raise InputError(
            f"{name} numbers its labels {numbers[:3]} … {numbers[-1]}, "
            f"expected 0 to {len(pairs) - 1} without a gap"
        )
    return tuple(label for _, label in sorted(pairs))
