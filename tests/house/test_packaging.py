"""What is built from the tree is the tree, and nothing else.

`ORDITO_DIST` names a folder with an sdist and a wheel to examine, such as those that CI has just built;
without it they are built here, the wheel from the sdist.
"""

import os
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path, PurePosixPath

import grimp
import pytest

from tests.house.tree import ROOT, modules, settings, shipped


@pytest.fixture(scope="module")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if given := os.environ.get("ORDITO_DIST"):
        return Path(given).resolve()
    folder = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(folder), str(ROOT)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


@pytest.fixture(scope="module")
def wheel(dist: Path) -> Path:
    (path,) = dist.glob("ordito-*.whl")
    return path


@pytest.fixture(scope="module")
def packed(wheel: Path) -> list[str]:
    """The names of the files in the wheel, which are their places in site-packages."""
    with zipfile.ZipFile(wheel) as file:
        return file.namelist()


def test_the_wheel_holds_exactly_the_files_of_the_package(packed: list[str]) -> None:
    assert {name for name in packed if ".dist-info/" not in name} == {f"ordito/{name}" for name in shipped()}
    assert {"__init__.py", "__main__.py", "cli.py", "sync/__init__.py"} < shipped()


def test_only_the_package_and_its_metadata_reach_site_packages(packed: list[str]) -> None:
    version = settings()["project"]["version"]
    tops = {PurePosixPath(name).parts[0] for name in packed}
    assert tops == {"ordito", f"ordito-{version}.dist-info"}


def test_the_sdist_holds_the_package_and_its_tests(dist: Path) -> None:
    (path,) = dist.glob("ordito-*.tar.gz")
    with tarfile.open(path) as file:
        names = {PurePosixPath(*PurePosixPath(name).parts[1:]).as_posix() for name in file.getnames()}
    assert shipped() <= names
    assert {"pyproject.toml", "README.md", "LICENSE", "tests/house/test_packaging.py"} <= names


def test_the_program_runs_from_the_wheel(wheel: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(wheel) as file:
        file.extractall(tmp_path)  # noqa: S202  (built by ourselves)
    # PYTHONPATH comes before the links of an editable install; this copy's lines are not to be counted.
    ours = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_")}
    environment = {**ours, "PYTHONPATH": str(tmp_path)}
    where = ["-c", "import ordito; print(ordito.__file__)"]
    for arguments, expected in ((where, str(tmp_path)), (["-m", "ordito", "--help"], "Usage: ordito")):
        done = subprocess.run(
            [sys.executable, *arguments], cwd=tmp_path, env=environment, capture_output=True, text=True
        )
        assert (done.returncode, done.stderr) == (0, "")
        assert expected in done.stdout


def test_an_editable_install_sees_what_the_wheel_holds() -> None:
    links = ROOT / ".dev" / "ordito"
    included = settings()["tool"]["hatch"]["build"]["targets"]["wheel"]["only-include"]
    assert {link.name for link in links.iterdir() if link.name != "__pycache__"} == set(included)
    assert all((links / name).resolve() == ROOT / name for name in included)


def test_the_layer_check_sees_every_module() -> None:
    assert grimp.build_graph("ordito", cache_dir=None).modules == modules()
