"""A config as a TOML file, to be read, kept and repeated: `--config run/train.toml`."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from dataclasses import fields
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final, Literal, get_args, get_origin, get_type_hints

from edge_runtime.errors import InputError, UsageError
from train.config import TrainConfig
from train.settings import flag, plain

NAME: Final = "train.toml"
FOLDER: Final = Path(__file__).with_name("recipes")  # of the reference models, and for own pictures


def find(name: str) -> Path:
    """The file of that name, or one of the recipes that come with the package.

    Raises:
        InputError: there is neither.
    """
    known = {path.stem: path for path in sorted(FOLDER.glob("*.toml"))}
    path = Path(name)
    if name in known and not path.is_file():
        return known[name]
    if not path.exists():
        raise InputError(
            f"there is no file {name}; expected a TOML file or one of {', '.join(known)}"
        )
    return path


def read(path: Path) -> dict[str, Any]:
    """The settings in a TOML file, by the names that TrainConfig gives them.

    Raises:
        InputError: the file cannot be read, or is no TOML.
        UsageError: a key is unknown, or its value is of the wrong type.
    """
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}; check the path") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{path} is not valid TOML: {error}") from error
    hints = get_type_hints(TrainConfig)
    known = {_key(name): name for name in hints}
    settings = {}
    for key, value in document.items():
        name = known.get(key.replace("_", "-"))
        if name is None:
            raise UsageError(f"{path} has an unknown key {key!r}; {_nearest(key, known)}")
        settings[name] = _value(path, key, plain(hints[name]), value)
    if path.parent == FOLDER and "teacher" in settings:
        settings["teacher"] = tuple(map(_shipped, settings["teacher"]))
    return settings


def _shipped(folder: Path) -> Path:
    """A run that comes with the package is found from any folder; one's own is where it is named."""
    ours = FOLDER.parents[1] / folder
    return ours if ours.is_dir() and not folder.is_dir() else folder


def write(config: TrainConfig) -> str:
    """Every setting with its help, as the text of a TOML file."""
    lines = ["# python -m train --config THIS-FILE repeats this training.", ""]
    for item in fields(config):
        value = config.to_dict()[item.name]
        lines.append(f"# {' '.join(item.metadata['text'].split())}")
        absent = value is None
        lines += [f"# {_key(item.name)} is not set" if absent else _line(item.name, value), ""]
    return "\n".join(lines[:-1]) + "\n"


def _line(name: str, value: Any) -> str:
    # Of what a config holds, JSON's spelling is TOML's: strings, numbers, true, false, lists.
    return f"{_key(name)} = {json.dumps(value, ensure_ascii=False)}"


def _key(name: str) -> str:
    return flag(name).removeprefix("--")


def _nearest(key: str, known: Mapping[str, str]) -> str:
    near = get_close_matches(key.replace("_", "-"), known, n=1)
    return f"did you mean {near[0]!r}?" if near else f"expected one of {', '.join(sorted(known))}"


def _value(path: Path, key: str, kind: Any, value: Any) -> Any:
    """A TOML value as a setting of this kind."""
    if get_origin(kind) is tuple and isinstance(value, list):
        return tuple(_value(path, key, get_args(kind)[0], member) for member in value)
    if get_origin(kind) is Literal:
        if value not in get_args(kind):
            raise UsageError(
                f"{path}: {key} is {value!r}, expected one of {', '.join(get_args(kind))}"
            )
        return value
    if kind is Path and isinstance(value, str):
        return Path(value)
    if kind is float and type(value) is int:
        return float(value)
    if type(value) is not kind:
        words = {bool: "true or false", int: "a whole number", float: "a number"}
        expected = words.get(kind, "a list" if get_origin(kind) is tuple else "text")
        raise UsageError(f"{path}: {key} is {value!r}, expected {expected}")
    return value
