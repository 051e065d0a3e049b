"""The errors a caller can act on, one class per thing there is to do about it.

EdgeError                   exit code
├── UsageError              2   the request is wrong: change the arguments
│   └── OutputError         2   the output cannot go there: name another place, or --overwrite
├── InputError              1   this picture or data file cannot be used: mend or skip it
├── ToleranceError          1   a figure is outside its limit: do not ship that file
├── ModelError              3   this model file cannot be used: export or copy it again
│   ├── DamagedModelError   3   its bytes are not those that were exported
│   └── SpecError           3   what it says about itself is missing, wrong or too new
├── EngineError             3   nothing here can run the model: install an engine
└── DeviceError             4   the camera or device does not answer
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar


def printable(text: str) -> str:
    """One line without control characters: a terminal obeys those in a file's name as well."""
    line = " ".join(text.splitlines())
    return "".join(char if char.isprintable() else repr(char)[1:-1] for char in line)


class EdgeError(Exception):
    """An expected failure: its text is one line that says what to do next."""

    exit_code: ClassVar[int] = 1

    def __str__(self) -> str:
        # It may hold the name of a file or of a tensor, or an engine's own words.
        return printable(super().__str__())


class UsageError(EdgeError):
    """The request itself is wrong."""

    exit_code = 2


class OutputError(UsageError):
    """The output exists already, or its folder cannot be written."""


class InputError(EdgeError):
    """A picture or data file cannot be used; others may be fine."""


class ToleranceError(EdgeError):
    """A measured figure is outside its limit."""


class ModelError(EdgeError):
    """A model file cannot be used."""

    exit_code = 3


class DamagedModelError(ModelError):
    """A model file's bytes are not those that were exported."""


class SpecError(ModelError):
    """What a model file says about itself is missing, wrong or too new."""


class EngineError(EdgeError):
    """No installed engine can run the model."""

    exit_code = 3


class DeviceError(EdgeError):
    """A camera or other device does not answer."""

    exit_code = 4


@dataclass(frozen=True)
class Failure:
    """A picture that could not be classified. It keeps its place among the results."""

    source: str | None  # the picture's name, where it has one
    code: str  # the error's class
    message: str

    def to_dict(self) -> dict[str, Any]:
        """The JSON shape: `source` as in a result, and `error` in place of the predictions."""
        return {"source": self.source, "error": {"code": self.code, "message": self.message}}
