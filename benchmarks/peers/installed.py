"""What a package takes on disk, with all that it needs."""

from __future__ import annotations

import re
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path
from typing import Final

import edge_runtime

EDGEPROOF: Final = "edgeproof"


def version(package: str) -> str | None:
    """Of an installed package; None where its modules came under another name (tensorflow-cpu)."""
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def installed_bytes(packages: Sequence[str]) -> int:
    """The size of packages and of all that they need, as pip would install them."""
    left, seen, total = list(packages), set(), 0
    while left:
        name = re.sub(r"[-_.]+", "-", left.pop()).lower()
        if name in seen:
            continue
        seen.add(name)
        if name == EDGEPROOF:  # what a device needs of it, wherever it lies
            total += _folder_bytes(Path(edge_runtime.__file__).parent)
            continue
        try:
            found = metadata.distribution(name)
        except metadata.PackageNotFoundError:  # needed on other systems only
            continue
        paths = [Path(str(file.locate())) for file in found.files or ()]
        total += sum(path.stat().st_size for path in paths if path.is_file())
        needed = [one for one in found.requires or () if "extra ==" not in one]
        left += re.findall(r"^[\w.-]+", "\n".join(needed), re.MULTILINE)
    return total


def _folder_bytes(folder: Path) -> int:
    files = (path for path in folder.rglob("*") if "__pycache__" not in path.parts)
    return sum(path.stat().st_size for path in files if path.is_file())
