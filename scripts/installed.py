"""What `pip install .` puts on a device, in an empty environment, and how large it is.

Writes docs/reports/runtime/installed.json.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import venv
from pathlib import Path
from typing import Any, Final

from edge_runtime.files import write_atomically

ROOT: Final = Path(__file__).parents[1]
REPORT: Final = ROOT / "docs" / "reports" / "runtime" / "installed.json"
WAYS: Final = (".", ".[litert]", ".[onnx]")
_LIST: Final = """
import json
from importlib.metadata import distributions
print(json.dumps({
    each.metadata["Name"].lower(): [
        each.version,
        sum(path.stat().st_size for path in map(each.locate_file, each.files) if path.exists()),
    ]
    for each in distributions()
}))
"""


def main() -> int:
    """Install each way, write the report, print it."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--report", type=Path, default=REPORT)
    arguments = parser.parse_args()
    report = {
        "python": ".".join(map(str, sys.version_info[:2])),
        "installed": {way: installed(way) for way in WAYS},
    }
    text = json.dumps(report, indent=2) + "\n"
    write_atomically(arguments.report, text.encode(), overwrite=True)
    print(text, end="")
    return 0


def installed(way: str) -> dict[str, dict[str, Any]]:
    """Version and size in bytes of every package after `pip install WAY`, but for pip itself."""
    with tempfile.TemporaryDirectory() as folder:
        # Its own pip only installs: the environment itself stays as empty as it can be.
        venv.create(folder, with_pip=False)
        python = next(
            path
            for path in (Path(folder, "bin", "python"), Path(folder, "Scripts", "python.exe"))
            if path.exists()
        )
        pip = [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet"]
        subprocess.run([*pip, "--disable-pip-version-check", way], cwd=ROOT, check=True)
        # Away from the sources, which would count as installed, too.
        listed = subprocess.run(
            [python, "-I", "-c", _LIST], cwd=folder, check=True, capture_output=True, text=True
        )
    found: dict[str, tuple[str, int]] = json.loads(listed.stdout)
    return {
        name: {"version": version, "size_bytes": size}
        for name, (version, size) in sorted(found.items())
    }


if __name__ == "__main__":
    raise SystemExit(main())
