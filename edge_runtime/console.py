"""What every command line of this project does the same way: errors, exit codes, interruption."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable

from edge_runtime.errors import EdgeError


def run(program: str, command: Callable[[], int]) -> int:
    """Run `command` and turn the way it ends into an exit code.

    Expected errors become one line on stderr; bugs keep their traceback.

    Returns:
        The command's own code, the error's `exit_code`, or 130 when interrupted.
    """
    try:
        return command()
    except EdgeError as error:
        print(f"{program}: error: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print(f"{program}: interrupted", file=sys.stderr)
        return 130
    except BrokenPipeError:
        # The reader (head, say) has gone; Python must not complain when it closes stdout.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
