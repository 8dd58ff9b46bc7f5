"""What the source tree holds."""

import subprocess
import tomllib
from functools import cache
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]


@cache
def settings() -> dict[str, Any]:
    """pyproject.toml."""
    return tomllib.loads((ROOT / "pyproject.toml").read_text())


def shipped() -> set[str]:
    """The files of the package, as paths below `ordito/`: everything in its folders that is not compiled."""
    included = settings()["tool"]["hatch"]["build"]["targets"]["wheel"]["only-include"]
    paths: set[Path] = set()
    for name in included:
        paths |= {ROOT / name} if name.endswith(".py") else set((ROOT / name).rglob("*"))
    return {
        path.relative_to(ROOT).as_posix()
        for path in paths
        if path.is_file() and "__pycache__" not in path.parts
    }


def modules() -> set[str]:
    """The names of the package's modules and packages."""
    names = {"ordito"}
    for path in shipped():
        if path.endswith(".py"):
            parts = path.removesuffix(".py").removesuffix("__init__").strip("/").split("/")
            names.add(".".join(["ordito", *filter(None, parts)]))
    return names


@cache
def texts() -> dict[str, str]:
    """Every text file that is kept in git or waits to be, by its path; where there is no git, every file."""
    if (ROOT / ".git").exists():
        command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
        listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
        paths = [ROOT / name for name in listed.split("\0") if name]
    else:
        paths = [path for path in ROOT.rglob("*") if not {".venv", "__pycache__"} & set(path.parts)]
    found = {}
    for path in paths:
        if path.is_file() and not path.is_symlink():
            content = path.read_bytes()
            if b"\0" not in content:
                found[path.relative_to(ROOT).as_posix()] = content.decode()
    return found
