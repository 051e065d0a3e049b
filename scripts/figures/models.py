"""What each model is, how right it is, what its int8 file makes of that, and what it cost."""

from __future__ import annotations

from typing import Final

from export import reference
from scripts import cards, reports
from scripts.figures.markdown import table
from train import recipe

MODELS: Final = {
    "nano": "[`nano`](docs/models/nano.md)",
    "small": "[`small`](docs/models/small.md), the one inside",
    "base": "[`base`](docs/models/base.md)",
    "mlp": "`mlp`, the tutorial's",
}
_HEADERS: Final = (
    "model",
    "parameters",
    "Keras, % right",
    "int8 file, % right",
    "seeds, mean ± sd",
    "agreement, %",
    "int8, kB",
    "training + teachers, CPU hours",
)


def models() -> str:
    """The models side by side, the commands that train them, and what is said beside them."""
    pictures = reports.read("mlp", "export")["reference"]["images"]
    return "\n".join(
        [
            *table(_HEADERS, [[name, *_figures(folder)] for folder, name in MODELS.items()]),
            "",
            f"On the {pictures:,} test pictures, the int8 `.tflite` through `edge_runtime`. "
            + _without_golden_samples(),
            "",
            *(f"- {line}" for line in _commands()),
            "",
            _trained_as_int8(),
            "",
            _pipeline(),
            "",
        ]
    )


def _figures(folder: str) -> list[str]:
    trained = reports.read(folder, "train")
    int8 = reports.int8(reports.read(folder, "export"))
    parity, taught_by = int8["parity"], reports.forebears(folder)
    return [
        f"{trained['parameters']:,}",
        _right_as_floats(folder),
        cards.percent(parity["accuracy"]),
        cards.spread(cards.seeds(reports.REPORTS / folder)),
        cards.percent(parity["agreement"]),
        f"{int8['size_bytes'] / 1000:.1f}",
        f"{reports.cpu_hours(folder):.1f} + {sum(map(reports.cpu_hours, taught_by)):.1f}",
    ]


def _right_as_floats(folder: str) -> str:
    return cards.percent(reports.read(folder, "train")["test_accuracy"])


def _without_golden_samples() -> str:
    """How large the shipped files are but for the samples that `check` replays."""
    sizes = [f"`{name}` {cards.bare_bytes(reports.REPORTS / name):,}" for name in reference.MODELS]
    return f"Without their golden samples the files have, in bytes: {', '.join(sizes)}."


def _commands() -> list[str]:
    """What trains each model again, and those that it learnt from."""
    taught_by = sorted(set().union(*map(reports.forebears, MODELS)))
    return [
        *(f"{name}: `{_command(folder)}`" for folder, name in MODELS.items()),
        *(
            f"`{each}`, which others learn from, {_right_as_floats(each)} % right: `{_command(each)}`"
            for each in taught_by
        ),
    ]


def _command(folder: str) -> str:
    """What trains a model again: by its recipe, where it has one."""
    if (recipe.FOLDER / f"{folder}.toml").is_file():
        return f"python -m train --config {folder} --out runs/{folder}"
    return str(reports.read(folder, "train")["command"])


def _trained_as_int8() -> str:
    """How near an int8 file is to what it was trained to compute, and to the floats before that."""
    trained = reports.read("small-int8", "train")
    int8 = reports.int8(reports.read("small-int8", "export"))["parity"]
    before = reports.read("small", "export")["reference"]["accuracy"]
    return (
        f"Trained on as int8 computes (`{trained['command']}`), `small` becomes an int8 file that "
        f"answers as the simulation did on {cards.percent(int8['agreement'])} % of the test pictures and "
        f"is right on {cards.percent(int8['accuracy'])} %, {100 * (int8['accuracy'] - before):+.2f} points "
        "from the floats before."
    )


def _pipeline() -> str:
    cost = reports.read("train", "pipeline")
    low, high = cost["cost_percent_quartiles"]
    return (
        f"Reading and changing pictures costs {cost['cost_percent']:.1f} % of a step of "
        f"`{cost['config']}` (quartiles {low:.1f} to {high:.1f}), by "
        "`python -m scripts.pipeline_cost`."
    )
