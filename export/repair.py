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
    """What was done about an int8 file outside its limits, with success or without."""

    problems: tuple[str, ...]  # why, in words
    before: Parity | None  # of the int8 file
    extra_bytes: int  # what it costs, against the int8 file
    attempts: int  # files that were made, with the one that is within its limits if there is one
    tried: tuple[str, ...] = ()  # those that are not, each with its reason, in words
    kept_float: Mapping[str, float] = field(default_factory=dict)  # layer → see `Layer.noise`
    float_weights: float = 0.0  # share of the weights that they hold, 0..1
    instead_of: str | None = None  # the int8 file, where another precision took its place

    def __str__(self) -> str:
        vain = f"not mended by {'; nor by '.join(self.tried)}"
        if not self.kept_float and not self.instead_of:
            return f"was {vain}"
        done = f"takes the place of {self.instead_of}{f', {vain}' if self.tried else ''}"
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
        The first file within its limits; `failed`, and what was tried, where there is none.
    """
    tried: list[str] = []
    for chosen in _choices(layers):
        report, kept = attempt(chosen), titles(chosen)
        if report.published:
            share = _share(chosen, layers)
            return _said(report, failed, tried, kept_float=kept, float_weights=share)
        worst = f"{len(kept)} worst layers" if len(kept) > 1 else "worst layer"
        tried.append(_vain(f"its {worst} in floats", report))
    return _in_vain(failed, tried)


def replaced(
    failed: VariantReport,
    substitutes: Sequence[Variant],
    attempt: Callable[[Variant], VariantReport],
) -> VariantReport:
    """Take the first other variant within its limits; `failed`, and what was tried, where none is."""
    tried = [*failed.repair.tried] if failed.repair else []
    for variant in substitutes:
        report = attempt(variant)
        if report.published:
            return _said(report, failed, tried, instead_of=failed.file)
        tried.append(_vain(f"{report.file} in its place", report))
    return _in_vain(failed, tried)


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


def _vain(what: str, report: VariantReport) -> str:
    return f"{what} ({'; '.join(report.problems)})"


def _in_vain(failed: VariantReport, tried: Sequence[str]) -> VariantReport:
    if not tried:
        return failed
    repair = Repair(failed.problems, failed.parity, 0, attempts=len(tried), tried=tuple(tried))
    return replace(failed, repair=repair)


def _said(
    report: VariantReport, failed: VariantReport, tried: Sequence[str], **what: Any
) -> VariantReport:
    extra, attempts = (report.model_bytes or 0) - (failed.model_bytes or 0), len(tried) + 1
    repair = Repair(failed.problems, failed.parity, extra, attempts, tuple(tried), **what)
    return replace(report, repair=repair)
