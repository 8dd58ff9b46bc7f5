"""The house rules that no other tool checks."""

import re
from datetime import date

from tests.house.tree import settings, texts

LONGEST = 400
# Absolute paths that exist on one machine only.
_PERSONAL = re.compile(r"(?<![\w/.-])/(?:work|root|Users)/")
_RELEASE = re.compile(r"## \[(?P<version>\d+\.\d+\.\d+)\] - (?P<day>\d{4}-\d\d-\d\d)")
_SECTIONS = {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}


def test_no_module_is_longer_than_400_lines() -> None:
    lengths = {path: text.count("\n") for path, text in texts().items() if path.endswith(".py")}
    assert {path: length for path, length in lengths.items() if length > LONGEST} == {}
    assert "cli.py" in lengths


def test_no_file_names_a_path_of_one_machine() -> None:
    found = [path for path, text in texts().items() if _PERSONAL.search(text)]
    assert found == []


def test_folders_with_tests_are_namespace_packages() -> None:
    # With an __init__.py pytest imports a test file, and the helpers beside it, under a second name.
    tests = [path for path in texts() if re.search(r"^tests/(.*/)?test_[^/]*\.py$", path)]
    packages = [path for path in texts() if path.startswith("tests/") and path.endswith("/__init__.py")]
    folders = {path: path.removesuffix("__init__.py") for path in packages}
    assert [path for path in packages if any(test.startswith(folders[path]) for test in tests)] == []


def test_the_changelog_keeps_its_form() -> None:
    lines = texts()["CHANGELOG.md"].splitlines()
    headings = [line for line in lines if line.startswith("## ")]
    assert lines[0] == "# Changelog"
    assert headings[0] == "## [Unreleased]"
    releases = [_RELEASE.fullmatch(heading) for heading in headings[1:]]
    days = [date.fromisoformat(release["day"]) for release in releases if release]
    assert len(days) == len(releases), f"not a release with its day: {headings}"
    assert days == sorted(days, reverse=True)
    assert {line.removeprefix("### ") for line in lines if line.startswith("### ")} <= _SECTIONS


def test_the_newest_release_in_the_changelog_is_the_version_of_the_package() -> None:
    release = _RELEASE.search(texts()["CHANGELOG.md"])
    version = settings()["project"]["version"]
    assert release is None or release["version"] == version


def test_every_relative_link_in_the_readme_leads_somewhere() -> None:
    for page in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md"):
        for target in re.findall(r"\]\(([^)#]+)[^)]*\)", texts()[page]):
            known = target.startswith(("http://", "https://", "mailto:"))
            assert known or any(path.startswith(target.rstrip("/")) for path in texts()), f"{page}: {target}"
