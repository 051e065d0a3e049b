"""What several commands share: the kinds of argument, the model that is meant, and a word on stderr."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from edge_runtime import console, modelfile
from edge_runtime.engines import EngineChoice
from edge_runtime.modelfile import ModelFile

if TYPE_CHECKING:
    Commands = argparse._SubParsersAction[argparse.ArgumentParser]  # noqa: SLF001  has no other name

PROGRAM = "edge_runtime"


def positive(text: str) -> int:
    """A whole number of 1 or more."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text} is not a whole number of 1 or more")
    return int(text)


def add_model(parser: argparse.ArgumentParser) -> None:
    """The flag that `model_file` reads."""
    parser.add_argument("--model", type=Path, help="default: the Fashion-MNIST model inside")


def model_file(path: Path | None, engine: EngineChoice = "auto") -> ModelFile:
    """The model file at `path`, read and checked; the one inside, for an engine here, if None."""
    if path is None:
        from edge_runtime.models import default_model

        path = default_model(engine)
    return modelfile.read(path)


def say(text: str) -> None:
    """One line on stderr."""
    console.say(PROGRAM, text)
