"""How the reference models do on photographs."""

from __future__ import annotations

from scripts import cards, reports
from scripts.figures.markdown import table


def photographs() -> str:
    """How often each model is right on rendered photographs, beside their originals."""
    report = reports.read("runtime", "photographs")
    rows = [
        [
            f"`{name}`",
            cards.percent(each["accuracy_photographs"]),
            cards.percent(each["accuracy_originals"]),
            cards.on_photographs(each),
        ]
        for name, each in report["models"].items()
    ]
    headers = ("model", "right, %", "of the originals, %", "difference, points [95 %]")
    return "\n".join(
        [
            (
                f"{report['photographs']:,} test pictures rendered back into photographs (300 to 1200 pixels, "
                "dark on light, coloured, off centre, unevenly lit, as JPEGs, some on their side):"
            ),
            "",
            *table(headers, rows),
            "",
        ]
    )
