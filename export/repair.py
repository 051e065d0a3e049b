"""An int8 file outside its limits: keep the worst layers in floats, or take another precision."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

from edge_runtime.spec import Parity, Precision
from export.variants import VARIANTS, Variant

if TYPE_CHECKING:
    from export.formats.layers import Layer
    from export.report import VariantReport

BUDGET: Final = 6  # attempts, each of which is a quantization and a verification
MOST_FLOAT: Final = 0.5  # share of the weights; with more in floats it is no integer model
FALLBACKS: Final[tuple[Precision, ...]] = ("int16x8", "dynamic", "float16")


@dataclass(frozen=True)
class Repair:
    """What was done about an int8 file outside its limits."""

    problems: tuple[str, ...]  # why, in words
    before: Parity | None  # of the int8 file
    extra_bytes: int  # what it costs, against the int8 file
    attempts: int
    kept_float: Mapping[str, float] = field(default_factory=dict)  # layer → see `Layer.noise`
    float_weights: float = 0.0  # share of the weights that they hold, 0..1
    instead_of: str | None = None  # the int8 file, where another precision took its place

    def __str__(self) -> str:
        done = f"takes the place of {self.instead_of}"
        if self.kept_float:
            shares = (
                f"{layer} (rounding drowned {noise:.0%} of it)"
                for layer, noise in self.kept_float.items()
            )
            done = (
                f"keeps {', '.join(shares)} and what reads them in floats, "
                f"{self.float_weights:.0%} of the weights"
            )
        return f"{done}: {self.extra_bytes:+,} bytes; all in int8, {'; '.join(self.problems)}"


def mended(
    failed: VariantReport,
    layers: Sequence[Layer],
    attempt: Callable[[Sequence[Layer]], VariantReport],
) -> VariantReport:
    """Keep ever more of the worst layers in floats, until the file is within its limits.

    Args:
        failed: the int8 file.
        layers: the worst first.
        attempt: makes the file again with these layers in floats.

    Returns:
        The first file within its limits; `failed` where there is none.
    """
    for attempts, chosen in enumerate(_choices(layers), 1):
        report = attempt(chosen)
        if report.published:
            return _said(
                report,
                failed,
                attempts=attempts,
                kept_float=titles(chosen),
                float_weights=_share(chosen, layers),
            )
    return failed


def replaced(
    failed: VariantReport,
    substitutes: Sequence[Variant],
    attempt: Callable[[Variant], VariantReport],
) -> VariantReport:
    """Take the first other variant that is within its limits; `failed` where none is."""
    for attempts, variant in enumerate(substitutes, 1):
        report = attempt(variant)
        if report.published:
            return _said(report, failed, attempts=attempts, instead_of=failed.file)
    return failed


def substitutes(variant: Variant, asked: Sequence[Variant]) -> tuple[Variant, ...]:
    """What may take the place of an int8 variant and is not made anyway."""
    if variant.option is not None:
        return ()
    return tuple(
        other
        for precision in FALLBACKS
        for other in VARIANTS
        if (other.format, other.precision) == (variant.format, precision) and other not in asked
    )


def _choices(layers: Sequence[Layer]) -> Iterator[tuple[Layer, ...]]:
    """1, 2, 3, 5, 8 … of the worst layers, within the budget."""
    count, following = 1, 2
    for _ in range(BUDGET):
        chosen = tuple(layers[:count])
        if len(chosen) < count or _share(chosen, layers) > MOST_FLOAT:
            return
        yield chosen
        count, following = following, count + following


def titles(layers: Sequence[Layer]) -> dict[str, float]:
    """Each layer once, the worst first, with the worst noise of its parts."""
    noise: dict[str, float] = {}
    for layer in layers:
        noise.setdefault(layer.title, layer.noise)
    return noise


def names(layers: Sequence[Layer]) -> frozenset[str]:
    """Of all operations of these layers."""
    return frozenset(operation.name for layer in layers for operation in layer.operations)


def _share(chosen: Sequence[Layer], layers: Sequence[Layer]) -> float:
    """The share of all weights that the chosen layers hold, 0..1; two layers may share some."""
    weights = {each.name: each.weights for layer in layers for each in layer.operations}
    return sum(weights[name] for name in names(chosen)) / max(1, sum(weights.values()))


def _said(report: VariantReport, failed: VariantReport, **what: Any) -> VariantReport:
    extra = (report.model_bytes or 0) - (failed.model_bytes or 0)
    repair = Repair(problems=failed.problems, before=failed.parity, extra_bytes=extra, **what)
    return replace(report, repair=repair)
