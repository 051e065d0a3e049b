"""Dataclasses from the JSON that they were written as."""

from __future__ import annotations

from dataclasses import is_dataclass
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints


def build(kind: Any, value: Any) -> Any:
    """A value of a type from what `json` made of it: dataclasses from objects, tuples from lists.

    Args:
        kind: a type as a dataclass's field names it.
        value: what was read.

    Raises:
        KeyError: a key that the dataclass does not know.
        TypeError: a member is missing, or a list is where an object should be, or the like.
        ValueError: a tuple has another length.
    """
    if isinstance(kind, type) and is_dataclass(kind):
        hints = get_type_hints(kind)
        return kind(**{key: build(hints[key], member) for key, member in value.items()})
    origin, arguments = get_origin(kind), get_args(kind)
    if origin in (Union, UnionType):
        known = [argument for argument in arguments if argument is not NoneType]
        return None if value is None else build(known[0], value)
    if origin is tuple and arguments[1:] == (Ellipsis,):
        return tuple(build(arguments[0], member) for member in value)
    if origin is tuple:
        return tuple(build(*pair) for pair in zip(arguments, value, strict=True))
    return value
