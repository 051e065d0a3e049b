"""Where a classifier came from, so that another process can open the same."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from edge_runtime import modelfile
from edge_runtime.errors import DamagedModelError
from edge_runtime.modelfile import ModelFile
from edge_runtime.spec import ModelSpec


class Origin(NamedTuple):
    """What it takes to make a classifier again in another process."""

    path: Path
    sha256: str
    spec: ModelSpec | None  # None where the description says what it would
    settings: dict[str, Any]

    def file(self) -> ModelFile:
        """The file, read again.

        Raises:
            DamagedModelError: it has become another since.
            ModelError: it can no longer be read.
        """
        file = modelfile.read(self.path)
        if file.sha256 != self.sha256:
            raise DamagedModelError(
                f"{self.path} is no longer the file that was opened (sha256 {file.sha256[:12]}…, "
                f"then {self.sha256[:12]}…); open the new one"
            )
        return replace(file, spec=self.spec)
