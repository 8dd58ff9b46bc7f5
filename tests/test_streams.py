"""What the program does where its output cannot be written, or not in every character."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.program import command, environment


def shell(line: str, cwd: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run the program in a shell; `line` says what becomes of its output, and holds `"$@"`."""
    return subprocess.run(
        ["bash", "-c", f"set -o pipefail; {line}", "bash", *command(*arguments)],
        cwd=cwd, env=environment(cwd, **variables), stdin=subprocess.DEVNULL,
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip


@pytest.mark.parametrize("line", ['"$@" | true', '"$@" >&-', '"$@" 2>&-', '"$@" >&- 2>&-'])
@pytest.mark.parametrize("arguments", [["--json", "nope"], ["nope"], ["--json", "policies"], ["policies"]])
def test_a_reader_that_has_gone_away_meets_no_traceback(
    line: str, arguments: list[str], tmp_path: Path
) -> None:
    done = shell(line, tmp_path, *arguments)
    assert "Traceback" not in done.stderr
    assert "fault in Ordito" not in done.stderr
    assert done.returncode == 2 if "nope" in arguments else done.returncode in (0, 1)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="/dev/full is a device of Linux")
@pytest.mark.parametrize("arguments", [["--json", "policies"], ["policies"]])
def test_a_full_disk_is_named_in_one_line(arguments: list[str], tmp_path: Path) -> None:
    done = shell('"$@" >/dev/full', tmp_path, *arguments)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    if "--json" not in arguments:
        assert done.stderr == f"ordito: the output: {os.strerror(28)}. See to it, and run it again.\n"


def test_in_a_locale_without_utf_8_the_characters_that_it_lacks_are_shown_by_number(tmp_path: Path) -> None:
    plain = {"PYTHONIOENCODING": "ascii"}
    settings = tmp_path / "ordito.yaml"
    settings.write_text("sites: {forum: {connector: sändbox}}\n", encoding="utf-8")
    done = shell('"$@"', tmp_path, "check", **plain)
    assert done.returncode == 2
    assert "s\\xe4ndbox" in done.stderr
    document = shell('"$@"', tmp_path, "--json", "plan", **plain)
    assert "s\\u00e4ndbox" in document.stdout


def test_without_a_command_the_help_stands_alone(tmp_path: Path) -> None:
    done = shell('"$@"', tmp_path)
    assert done.returncode == 2
    assert done.stderr.startswith("Usage: ordito")
    assert "See 'ordito --help'" not in done.stderr
