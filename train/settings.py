"""A dataclass whose fields say their own help and limits, and so become command-line flags."""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable, Container
from dataclasses import Field, dataclass, field, fields
from types import NoneType
from typing import Any, Literal, TypeVar, get_args, get_origin, get_type_hints

from edge_runtime.errors import UsageError

T = TypeVar("T")


@dataclass(frozen=True)
class Within:
    """The numbers that make sense for a setting: `low` and more, up to `high`."""

    low: float
    high: float = math.inf
    but_low: bool = False  # `low` itself does not
    but_high: bool = False  # `high` itself does not

    def __contains__(self, value: float) -> bool:
        above = value > self.low if self.but_low else value >= self.low
        below = value < self.high if self.but_high else value <= self.high
        return above and below

    def __str__(self) -> str:
        if self.high == math.inf:
            return f"more than {self.low:g}" if self.but_low else f"{self.low:g} or more"
        start = f"above {self.low:g}" if self.but_low else f"{self.low:g}"
        return f"{start} to {'below ' if self.but_high else ''}{self.high:.10g}"


def setting(
    default: T, text: str, *, metavar: str | None = None, within: Within | None = None
) -> T:
    """A field of a config.

    Args:
        default: its value where nothing is said.
        text: what it does, for `--help`.
        metavar: what stands for the value in `--help`.
        within: the numbers that make sense; for a tuple, each of its members.
    """
    value: T = field(default=default, metadata={"text": text, "metavar": metavar, "within": within})
    return value


def flag(name: str) -> str:
    """The command-line flag of a field."""
    return "--" + name.replace("_", "-")


def check(config: Any) -> None:
    """Hold every number of a config against its limits.

    Raises:
        UsageError: one is outside; the message names its flag.
    """
    for item in fields(config):
        within, value = item.metadata["within"], getattr(config, item.name)
        if within is None or value is None:
            continue
        for number in value if isinstance(value, tuple) else (value,):
            if number not in within:
                raise UsageError(f"{flag(item.name)} is {number}, expected {within}")


def add_flags(parser: Any, config: type, *, only: Container[str] | None = None) -> None:
    """Give an argparse parser or group one flag a field; flags not given leave no attribute.

    Args:
        parser: what gets them.
        config: a dataclass of settings.
        only: names of the fields that are wanted; None takes all.
    """
    hints = get_type_hints(config)
    for item in fields(config):
        if only is not None and item.name not in only:
            continue
        parser.add_argument(flag(item.name), **_options(item, plain(hints[item.name])))


def plain(hint: Any) -> Any:
    """`X` of `X | None`; anything else as it is."""
    members = [member for member in get_args(hint) if member is not NoneType]
    return members[0] if NoneType in get_args(hint) else hint


def _options(item: Field[Any], kind: Any) -> dict[str, Any]:
    words: dict[str, Any] = {
        "help": item.metadata["text"] + _default(item.default),
        "default": argparse.SUPPRESS,
    }
    if kind is bool:
        return {**words, "action": argparse.BooleanOptionalAction}
    words["metavar"] = item.metadata["metavar"]
    if get_origin(kind) is Literal:
        return {**words, "choices": get_args(kind)}
    if get_origin(kind) is tuple:
        return {**words, "type": listed(get_args(kind)[0])}
    return {**words, "type": kind}


def _default(value: Any) -> str:
    if value is None or value == () or isinstance(value, bool):
        return ""
    return f" (default: {written(value)})"


def written(value: Any) -> str:
    """A value as it is typed behind its flag."""
    return ",".join(map(str, value)) if isinstance(value, tuple) else str(value)


def listed(kind: Callable[[str], T]) -> Callable[[str], tuple[T, ...]]:
    """What argparse needs to read a comma-separated list."""

    def values(text: str) -> tuple[T, ...]:
        return tuple(kind(part) for part in text.split(","))

    values.__name__ = f"comma-separated {getattr(kind, '__name__', 'value')} list"
    return values
