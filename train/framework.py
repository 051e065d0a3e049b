"""Loading TensorFlow and Keras: late, and without their chatter."""

from __future__ import annotations

import logging
import os
import sys
from contextlib import nullcontext

from edge_runtime.errors import EngineError
from edge_runtime.quiet import native_output_hidden


def leave_out_onednn() -> None:
    """Let TensorFlow compute without oneDNN, which is slower.

    Where it is loaded already, nothing is changed: it would not notice, and what this process
    starts would compute otherwise than the process itself.
    """
    if "tensorflow" not in sys.modules:
        os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")


def load(*, verbose: bool) -> None:
    """Import what training needs, so that later imports are silent and cannot fail.

    Args:
        verbose: let TensorFlow, Keras and matplotlib say what they like.

    Raises:
        EngineError: a package is not installed.
    """
    os.environ["KERAS_BACKEND"] = "tensorflow"  # the one that export can convert
    if not verbose:
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # read once, when TensorFlow loads
        logging.getLogger("matplotlib").setLevel(logging.ERROR)
    try:
        with nullcontext() if verbose else native_output_hidden():
            import keras  # noqa: F401
            import matplotlib as mpl  # noqa: F401
            import rich  # noqa: F401
            import tensorflow  # noqa: F401, ICN001
    except ImportError as error:
        raise EngineError(
            f"training needs a package that is not installed ({error}); "
            "run `pip install '.[train]'` in edgeproof's folder"
        ) from error
