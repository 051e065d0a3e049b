"""The doctor's child: start one engine and replay the golden samples of the model inside with it."""

from __future__ import annotations

import json
import os
import sys
from typing import Any

from edge_runtime import engines
from edge_runtime.engines import ENGINES, Engine
from edge_runtime.errors import EdgeError


def main() -> int:
    """Read the engine's name, print how it did as JSON."""
    engine: Engine = sys.stdin.read().strip()  # type: ignore[assignment]
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what engines print is not the answer
    json.dump(_attempt(engine), answers)
    answers.close()
    os._exit(0)  # an engine that crashes when it is taken down has done its work


def _attempt(engine: Engine) -> dict[str, Any]:
    form = ENGINES[engine].format
    try:
        engines.start(form, engine)
    except EdgeError as error:
        reason = str(error).split("; run `")[0].removeprefix(f"{ENGINES[engine].distribution} ")
        return {"starts": False, "passed": False, "text": reason}
    from edge_runtime import golden, modelfile
    from edge_runtime.models import shipped

    try:
        report = golden.check(modelfile.read(shipped(form)), backend=engine)
    except EdgeError as error:
        return {"starts": True, "passed": False, "text": str(error)}
    return {"starts": True, "passed": report.passed, "text": str(report)}


if __name__ == "__main__":
    raise SystemExit(main())
