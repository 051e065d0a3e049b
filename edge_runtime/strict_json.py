"""JSON to frozen dataclasses and back: their fields, types and defaults are the schema.

Nothing is guessed: what is missing, unknown, repeated or of another type is an error with its place.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from reprlib import repr as shortened
from types import NoneType, UnionType
from typing import Any, Literal, TypeVar, get_args, get_origin, get_type_hints

from edge_runtime.errors import SpecError

T = TypeVar("T")


def require(condition: bool, message: str) -> None:
    """Refuse a spec of which a condition does not hold."""
    if not condition:
        raise SpecError(f"spec: {message}")


def read(text: str | bytes) -> dict[str, Any]:
    """An object as JSON says it should be written.

    Raises:
        SpecError: it is none, or repeats a key, or a number is none.
    """
    try:
        document = json.loads(
            text,
            object_pairs_hook=_object_without_repeats,
            parse_constant=_no_constant,
            parse_float=_finite,
            parse_int=_whole,
        )
    except (ValueError, RecursionError) as error:
        raise SpecError(f"spec: not valid JSON ({error})") from error
    if not isinstance(document, dict):
        raise SpecError("spec: expected a JSON object")
    return document


def encode(value: Any) -> Any:
    """Dataclasses, tuples and mappings as JSON values; absent optional parts are left out."""
    if is_dataclass(value):
        members = {item.name: getattr(value, item.name) for item in fields(value)}
        return {key: encode(member) for key, member in members.items() if member is not None}
    if isinstance(value, Mapping):
        return {key: encode(value[key]) for key in sorted(value)}
    if isinstance(value, tuple):
        return [encode(member) for member in value]
    return value


def decode(kind: type[T], value: Any, where: str) -> T:
    """Make a dataclass of a JSON value, or say where it does not fit.

    Args:
        kind: the dataclass; of its fields, those without a default must be there.
        value: what JSON gave.
        where: what the value is called in errors.

    Raises:
        SpecError: a key is missing, unknown or of the wrong type, or the dataclass refuses it.
    """
    if not isinstance(value, dict):
        raise SpecError(f"spec: {where} must be an object")
    hints = get_type_hints(kind)
    known = {item.name: item for item in fields(kind)}  # type: ignore[arg-type]
    for key in sorted(value.keys() - known.keys()):
        raise SpecError(
            f"spec: {where} has an unknown key {shortened(key)}; upgrade edge_runtime, or mend it"
        )
    for key, item in known.items():
        required = item.default is MISSING and item.default_factory is MISSING
        if required and key not in value:
            raise SpecError(f"spec: {where} lacks the key {key!r}")
    return kind(**{key: _decode(hints[key], item, f"{where}.{key}") for key, item in value.items()})


def _decode(kind: Any, value: Any, where: str) -> Any:  # noqa: PLR0911  one line per kind
    """Turn a JSON value into `kind`, or say where it does not fit."""
    origin, arguments = get_origin(kind), get_args(kind)
    if isinstance(kind, type) and is_dataclass(kind):
        return decode(kind, value, where)
    if origin is UnionType:  # only ever `X | None` here
        if value is None:
            return None
        return _decode(next(member for member in arguments if member is not NoneType), value, where)
    if origin is Literal:
        require(
            value in arguments, f"{where} is {shortened(value)}, expected one of {list(arguments)}"
        )
        return value
    if origin is tuple:
        require(isinstance(value, list), f"{where} must be a list")
        members = [arguments[0]] * len(value) if arguments[-1] is Ellipsis else arguments
        require(len(value) == len(members), f"{where} must have {len(members)} values")
        return tuple(
            _decode(member, item, f"{where}[{index}]")
            for index, (member, item) in enumerate(zip(members, value, strict=True))
        )
    if origin is Mapping:
        require(isinstance(value, dict), f"{where} must be an object")
        for key in value:
            _printable(key, f"a key of {where}")
        return {key: _decode(arguments[1], item, f"{where}.{key}") for key, item in value.items()}
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    require(type(value) is kind, f"{where} is {shortened(value)}, expected {kind.__name__}")
    if kind is str:
        _printable(value, where)
    return value


def _printable(text: str, where: str) -> None:
    """A file's words are shown on terminals, which obey control characters."""
    require(text.isprintable(), f"{where} is {shortened(text)}, expected printable characters")


def _object_without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    document = dict(pairs)
    if len(document) != len(pairs):
        raise ValueError("a key is given twice")
    return document


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not a number in JSON")


def _finite(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise ValueError("a number is too large")
    return number


def _whole(text: str) -> int:
    _finite(text)
    return int(text)
