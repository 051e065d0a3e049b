"""The one table of variants: what can be made of a model. Everything else reads it from here."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from edge_runtime import spec
from edge_runtime.errors import UsageError
from edge_runtime.spec import Format, Precision

Io = Literal["uint8", "int8", "float32"]
Target = Literal["portable", "x86", "arm"]

ROUNDED: Final[tuple[Precision, ...]] = ("float32", "int8")  # of a model that rounds by itself
SLOW: Final[tuple[Precision, ...]] = ("int16x8",)  # see `Variant.slow`


@dataclass(frozen=True)
class Variant:
    """One kind of file that can be made of a model."""

    format: Format
    precision: Precision
    summary: str  # for a person who chooses
    option: str | None = None  # what tells it from the usual variant of its precision
    usual: bool = True  # made when nothing else is said
    io: Io = "float32"  # type of input and output
    target: Target = "portable"  # the processor that integer arithmetic is laid out for
    rgb: bool = False  # RGB goes in, and grey is computed inside

    @property
    def stem(self) -> str:
        """The name without the format."""
        return self.name.rpartition(".")[0]

    @property
    def name(self) -> str:
        """What follows the model's name in the file's name, for example `int8.tflite`."""
        return spec.Variant(self.format, self.precision, option=self.option).name

    @property
    def needs_calibration(self) -> bool:
        """Integer activations need pictures that show their ranges."""
        return self.precision in ("int8", "int16x8")

    @property
    def slow(self) -> bool:
        """No engine has fast kernels for it: a hundred times the time of `int8` a picture."""
        return self.precision in SLOW


_RGB: Final = "of a grey model, but takes RGB, which is all that MediaPipe gives"
_X86: Final = "8-bit weights, for x86 with VNNI: without it, other programs overflow"
_ARM: Final = "signed and symmetric activations: for ARM"

VARIANTS: Final = (
    Variant("tflite", "float32", "as trained; the yardstick for the others"),
    Variant("tflite", "float16", "weights as 16-bit floats: half the size, the same answers"),
    Variant("tflite", "dynamic", "weights as 8-bit integers, arithmetic mixed: a quarter the size"),
    Variant(
        "tflite", "int8", "all 8-bit integers; raw pixels go in: for small devices", io="uint8"
    ),
    Variant("onnx", "float32", "as trained, for ONNX Runtime"),
    Variant("onnx", "int8", "integers, weights of 7 bits: the same answers on every processor"),
    Variant("tflite", "int16x8", "8-bit weights, 16-bit activations", usual=False),
    Variant("tflite", "int8", "takes and gives int8", "io-int8", usual=False, io="int8"),
    Variant("tflite", "int8", "takes and gives float32", "io-float32", usual=False),
    Variant("tflite", "int8", _RGB, "rgb", usual=False, io="uint8", rgb=True),
    Variant("onnx", "int8", _X86, "x86", usual=False, target="x86"),
    Variant("onnx", "int8", _ARM, "arm", usual=False, target="arm"),
)
USUAL: Final = tuple(variant for variant in VARIANTS if variant.usual)


def select(
    terms: Sequence[str] = (),
    *,
    everything: bool = False,
    io: Io = "uint8",
    target: Target = "portable",
    rgb: bool = False,
) -> tuple[Variant, ...]:
    """The variants that any of the terms means, in the table's order; the usual where there are none.

    Args:
        terms: names (`int8.tflite`), names without their format (`int8`), or formats (`tflite`),
            which mean their usual variants.
        everything: the whole table.
        io: take `int8.tflite` with this input and output instead.
        target: take `int8.onnx` for this processor instead.
        rgb: take the variant for RGB as well.

    Raises:
        UsageError: a term means no variant, `io` or `target` concerns none that is meant, or all
            are asked for and also some, or one instead of another.
    """
    meanings = {term: _meaning(term) for term in terms}
    for term, meant in meanings.items():
        if not meant:
            raise UsageError(f"there is no variant {term!r}; {_suggestion(term)}")
    chosen = {variant for meant in meanings.values() for variant in meant}
    if everything and terms:
        raise UsageError("--all makes every variant and --only some; leave one of them out")
    if everything:
        _refuse_choices(io, target, rgb=rgb)
        chosen = set(VARIANTS)
    elif not terms:
        chosen = set(USUAL)
    if rgb:
        chosen |= {variant for variant in VARIANTS if variant.rgb}
    asked = {_instead(variant, io, target) for variant in chosen}
    made = tuple(variant for variant in VARIANTS if variant in asked)
    integers = [variant for variant in made if variant.precision == "int8"]
    if io != "uint8" and io not in (each.io for each in integers if each.format == "tflite"):
        raise _idle("--io", io, "int8.tflite", made)
    if target != "portable" and target not in (each.target for each in integers):
        raise _idle("--target", target, "int8.onnx", made)
    return made


def _meaning(term: str) -> tuple[Variant, ...]:
    usual = (variant for variant in USUAL if variant.format == term)
    named = (variant for variant in VARIANTS if term in (variant.name, variant.stem))
    return (*usual, *named)


def _refuse_choices(io: Io, target: Target, *, rgb: bool) -> None:
    """Refuse to take one variant instead of another, or one more, where all are made."""
    given = {f"--io {io}": io != "uint8", f"--target {target}": target != "portable", "--rgb": rgb}
    if chosen := [flag for flag, differs in given.items() if differs]:
        flags = " and ".join(chosen)
        raise UsageError(f"--all makes every variant, those of {flags} too; leave out {flags}")


def _idle(flag: str, value: str, file: str, made: Sequence[Variant]) -> UsageError:
    """A flag that would change nothing was meant to change something."""
    return UsageError(
        f"{flag} {value} changes {file} only, which --only leaves out (it makes "
        f"{', '.join(each.name for each in made)}); add it to --only, or leave {flag} out"
    )


def _instead(variant: Variant, io: Io, target: Target) -> Variant:
    """The sibling of a usual int8 variant that has the asked-for input or processor."""
    if variant.precision != "int8" or not variant.usual:
        return variant
    wanted = io if variant.format == "tflite" else variant.io
    aim = target if variant.format == "onnx" else variant.target
    return next(
        other
        for other in VARIANTS
        if (other.format, other.precision, other.io, other.target, other.rgb)
        == (variant.format, "int8", wanted, aim, False)
    )


def fitting(
    variants: Sequence[Variant], color: spec.Color | None, *, rounds: bool = False
) -> tuple[Variant, ...]:
    """The variants that can be made of a model.

    Args:
        variants: what is asked for.
        color: of the pictures that it takes; None where that is not known yet.
        rounds: it was trained with rounding in it. The quantizer then makes integers of all that it
            is not kept from, so that its other precisions would be the int8 file again.

    Raises:
        UsageError: one that was asked for by name cannot be made, or none can.
    """
    if rounds:
        variants = [each for each in variants if each.precision in ROUNDED and not each.rgb]
        if not variants:
            raise UsageError("the model rounds as int8 does; ask for float32 or int8 files of it")
    if color != "rgb":
        return tuple(variants)
    kept = tuple(variant for variant in variants if not variant.rgb)
    if len(kept) < len(variants) < len(VARIANTS):
        raise UsageError("the model takes RGB as it is; leave --rgb and int8-rgb.tflite out")
    return kept


def _suggestion(term: str) -> str:
    words = (word for each in VARIANTS for word in (each.name, each.stem, each.format))
    close = difflib.get_close_matches(term, list(dict.fromkeys(words)), n=1)
    meant = f"did you mean {close[0]!r}? " if close else ""
    return f"{meant}Choose from {', '.join(variant.name for variant in VARIANTS)}"
