"""Everything that decides how a training run goes, as one frozen dataclass."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Final, Literal

from edge_runtime.errors import UsageError
from edge_runtime.spec import Color, Scores
from train import combinations
from train.settings import Within, check, flag, setting, written

ModelName = Literal["mlp", "cnn", "ds-cnn", "resnet", "ds-resnet", "transfer"]
BackboneName = Literal[
    "mobilenetv2",
    "mobilenetv3small",
    "mobilenetv3large",
    "efficientnetv2b0",
    "resnet50v2",
]
Distribution = Literal["mirrored", "multi-worker"]
Optimizer = Literal["adam", "sgd", "muon"]
Schedule = Literal["constant", "cosine", "one-cycle"]

_ONE_OR_MORE: Final = Within(1)


@dataclass(frozen=True)
class TrainConfig:
    """One training run; the same config on the same machine gives the same weights."""

    dataset: str = setting(
        "fashion-mnist",
        "fashion-mnist, mnist, a folder with a sub-folder of pictures for each class (or train/, "
        "validation/ and test/ with those), a folder with four IDX files, an .npz with x_train, "
        "y_train, x_test and y_test, or the train CSV of two (label, pixels)",
        metavar="NAME|DIR|FILE",
    )
    data: Path | None = setting(
        None,
        "where the files of fashion-mnist or mnist are (default: look, then download)",
        metavar="DIR",
    )
    size: int | None = setting(
        None,
        "pixels to a side of a folder's pictures (default: their own if all have the same, up to "
        "96; otherwise 96)",
        metavar="N",
        within=Within(1, 1024),
    )
    color: Color | None = setting(
        None, "of a folder's pictures (default: gray if all of them are, otherwise rgb)"
    )
    class_weights: bool = setting(False, "let rare classes count as much as frequent ones")
    model: ModelName = setting(
        "mlp",
        "mlp: the tutorial's dense layers; cnn: a small convolutional net; ds-cnn: depthwise-"
        "separable, the smallest; resnet: the most accurate; ds-resnet: a resnet whose later "
        "stages are separable, more channels for the same weights; transfer: a --backbone that "
        "knows photographs, and a new last layer",
    )
    units: tuple[int, ...] | None = setting(
        None,
        "neurons of each hidden layer of an mlp, such as 512 or 256,128 (default: 128)",
        metavar="N[,N…]",
        within=_ONE_OR_MORE,
    )
    widths: tuple[int, ...] | None = setting(
        None,
        "channels of each stage of a ds-cnn, resnet or ds-resnet; each stage halves the picture, but "
        "for the first (default: 16,32,64)",
        metavar="N[,N…]",
        within=_ONE_OR_MORE,
    )
    blocks: tuple[int, ...] | None = setting(
        None,
        "blocks of each stage, one number for all or one a stage (default: 1)",
        metavar="N[,N…]",
        within=_ONE_OR_MORE,
    )
    backbone: BackboneName | None = setting(
        None,
        "of transfer: mobilenetv2 and resnet50v2 lose little as int8, mobilenetv3small and "
        "mobilenetv3large more, efficientnetv2b0 most (default: mobilenetv2)",
        metavar="NAME",
    )
    weights: str | None = setting(
        None,
        "of the backbone: imagenet (downloaded once), a file of them without the top, or none "
        "(default: imagenet)",
        metavar="imagenet|FILE|none",
    )
    frozen: int | None = setting(
        None,
        "first epochs in which only the new last layer learns (default: half of them; 0 with "
        "--weights none)",
        metavar="N",
        within=Within(0),
    )
    fine_tuning: float | None = setting(
        None,
        "share of --learning-rate for the epochs in which the backbone learns too (default: 0.1; 1 "
        "with --weights none)",
        metavar="X",
        within=Within(0, 1, but_low=True),
    )
    epochs: int = setting(10, "passes over the training pictures", metavar="N", within=_ONE_OR_MORE)
    batch_size: int = setting(32, "pictures a step", metavar="N", within=_ONE_OR_MORE)
    optimizer: Optimizer = setting(
        "adam",
        "adam; sgd, with Nesterov momentum; or muon, the quickest to a good convolutional net, "
        "whose --learning-rate is the share of a kernel that a step changes, such as 0.02",
    )
    learning_rate: float = setting(
        1e-3,
        "the highest, where the schedule changes it",
        metavar="X",
        within=Within(0, but_low=True),
    )
    schedule: Schedule = setting(
        "cosine",
        "how the learning rate goes: falls along a cosine, stays constant, or climbs first",
    )
    weight_decay: float = setting(
        0.0,
        "pull on the weights towards 0, times the learning rate, each step (with muon: on those that "
        "are not of whole convolutions)",
        metavar="X",
        within=Within(0),
    )
    label_smoothing: float = setting(
        0.0,
        "share of each label that is spread over all classes",
        metavar="X",
        within=Within(0, 1, but_high=True),
    )
    teacher: tuple[Path, ...] | None = setting(
        None,
        "run directories of larger models, whose answers are learnt from as well",
        metavar="DIR[,DIR…]",
    )
    teacher_weight: float = setting(
        0.7,
        "with --teacher: share of the loss that comes from its answers and not from the labels",
        metavar="X",
        within=Within(0, 1),
    )
    temperature: float = setting(
        3.0,
        "with --teacher: divides the logits of both before they are compared; higher shows more of "
        "what the teacher thinks of the wrong classes",
        metavar="X",
        within=Within(0, but_low=True),
    )
    versions: int = setting(
        12,
        "with --teacher and --augment: changed versions of each picture that the teacher is asked "
        "about; later epochs repeat them",
        metavar="N",
        within=_ONE_OR_MORE,
    )
    start: Path | None = setting(
        None,
        "a run directory whose weights the new model begins with instead of random ones; its shape "
        "must be the same, its classes need not",
        metavar="DIR",
    )
    quantize: Path | None = setting(
        None,
        "instead of a new --model: a run directory whose model is trained on while it rounds as "
        "its int8 file will, so that the file agrees with it",
        metavar="DIR",
    )
    average: float = setting(
        0.0,
        "judge and keep a running average of the weights that forgets so little each step: 0.999 "
        "averages over the last thousand or so; 0 keeps the weights themselves",
        metavar="X",
        within=Within(0, 1, but_high=True),
    )
    augment: bool = setting(
        False, "mirror (where it is known to be harmless), shift and partly erase training pictures"
    )
    mirror: bool = setting(
        False,
        "with --augment: pictures of your own may be mirrored too, for they still show the same",
    )
    shift: int = setting(
        2, "with --augment: pixels to any side, at most", metavar="N", within=Within(0)
    )
    erase: float = setting(
        0.25,
        "with --augment: share of pictures that lose a rectangle to noise",
        metavar="X",
        within=Within(0, 1),
    )
    mixup: float = setting(
        0.0,
        "with --augment: blend each picture and label with another's; 0.2 blends most of them "
        "little, 1 in all shares alike; 0 does not",
        metavar="X",
        within=Within(0),
    )
    stop_accuracy: float | None = setting(
        None,
        "stop after the epoch whose accuracy on the training pictures reaches this share",
        metavar="X",
        within=Within(0, 1, but_low=True),
    )
    stop_loss: float | None = setting(
        None,
        "stop after the epoch whose loss on the training pictures is as low as this",
        metavar="X",
        within=Within(0, but_low=True),
    )
    scores: Scores = setting(
        "logits", "what the saved model gives; probabilities adds the tutorial's softmax layer"
    )
    rescale: bool = setting(
        True, "pixels as 0..1; --no-rescale leaves them 0..255, to see what that costs"
    )
    sure: float = setting(
        0.98,
        'how many of the answers must be right: the threshold below which the answer is "not sure" '
        "is set so on the validation pictures; 0 answers always",
        metavar="X",
        within=Within(0, 1, but_high=True),
    )
    limit: int | None = setting(
        None, "train on N pictures only, for a quick try", metavar="N", within=_ONE_OR_MORE
    )
    seed: int = setting(
        0, "of first weights, order and augmentation", metavar="N", within=Within(0, 2**32 - 1)
    )

    def __post_init__(self) -> None:
        check(self)
        for contradiction in combinations.contradictions(self):
            raise UsageError(contradiction)

    @property
    def chosen_backbone(self) -> BackboneName:
        """The backbone of a transfer."""
        return self.backbone or "mobilenetv2"

    @property
    def frozen_epochs(self) -> int:
        """First epochs in which a backbone does not learn."""
        if self.model != "transfer" or self.quantize is not None:
            return 0
        usual = 0 if self.weights == "none" else self.epochs // 2
        return min(self.epochs, usual if self.frozen is None else self.frozen)

    @property
    def fine_tuning_share(self) -> float:
        """Share of the learning rate once the backbone learns too."""
        if self.model != "transfer" or self.weights == "none":
            return self.fine_tuning or 1.0
        return self.fine_tuning or 0.1

    def to_dict(self) -> dict[str, Any]:
        """The config as JSON values."""
        return {item.name: _plain(getattr(self, item.name)) for item in fields(self)}

    def repeats(self, recorded: Mapping[str, Any]) -> bool:
        """Whether an earlier run had this config; settings newer than that run have their defaults."""
        return {**TrainConfig().to_dict(), **recorded} == self.to_dict()

    def command(self, out: Path) -> str:
        """The command line that repeats this run: what differs from the defaults is spelt out."""
        words = ["python", "-m", "train"]
        for item in fields(self):
            value = getattr(self, item.name)
            always = ("dataset", "epochs") if self.quantize else ("dataset", "model", "epochs")
            if value == item.default and item.name not in always:
                continue
            words += _words(item.name, value)
        return shlex.join([*words, "--out", str(out)])


def _words(name: str, value: Any) -> list[str]:
    if isinstance(value, bool):
        return [flag(name) if value else f"--no-{flag(name).removeprefix('--')}"]
    return [flag(name), written(value)]


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_plain(member) for member in value]
    return str(value) if isinstance(value, Path) else value
