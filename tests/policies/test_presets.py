"""Every preset at work on a sample community."""

from __future__ import annotations

from pathlib import Path

import pytest

from ordito.config.init import Answers, Site, draft, presets
from tests.program import run

SITES = (
    Site("forum", "discourse", "https://forum.example.org", "ordito", "ORDITO_FORUM_KEY"),
    Site("wiki", "mediawiki", "https://wiki.example.org/api.php", "Ordito@cron", "ORDITO_WIKI_PASSWORD"),
)
SANDBOX = """\
sites:
  forum: {connector: sandbox, file: sandbox.db, side: forum}
  wiki: {connector: sandbox, file: sandbox.db, side: wiki}

"""


@pytest.fixture(scope="module")
def community(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the settings of every preset, for one sandbox that has been synced."""
    folder = tmp_path_factory.mktemp("presets")
    for preset, title in presets().items():
        text = draft(Answers(SITES, preset=preset))
        sites = slice(text.index("sites:"), text.index(f"# {title}"))
        (folder / f"{preset}.yaml").write_text(text.replace(text[sites], SANDBOX), encoding="utf-8")
    done = run("--config", "community-of-practice.yaml", "sync", cwd=folder)
    assert done.code == 0, done.err
    return folder


@pytest.mark.parametrize("preset", presets())
def test_a_preset_finds_something_to_do_and_says_why(community: Path, preset: str) -> None:
    done = run("--config", f"{preset}.yaml", "--json", "plan", "--dry-run", cwd=community)
    assert done.code == 0, done.err
    assert "errors" not in done.document
    proposals = done.document["proposals"]
    assert proposals
    # what a limit cuts was found as well
    found = [*proposals, *(held for held in done.document["held"] if held["by"] == "limit")]
    assert len({each["policy"] for each in found}) >= 3
    assert {each["item"].partition(":")[0] for each in found} == {"forum", "wiki"}
    for proposal in proposals:
        assert proposal["because"]
        text = proposal["action"].get("text")
        assert text is None or "Ordito" in text
