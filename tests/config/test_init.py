"""The file that `ordito init` writes, for every preset and set of sites."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from ordito.config.errors import StoreError, UsageError
from ordito.config.init import Answers, Site, draft, presets, tidy_url, variable_for, write
from ordito.config.loader import read
from ordito.config.settings import Settings
from ordito.connectors.registry import CONNECTORS

FORUM = Site("forum", "discourse", "https://forum.example.org", "ordito", "ORDITO_FORUM_KEY")
WIKI = Site("wiki", "mediawiki", "https://w.example.org/api.php", "Ordito@cron", "ORDITO_WIKI_PASSWORD")
OTHER = Site("help-desk", "discourse", "https://help.example.org", "ordito", "ORDITO_HELP_DESK_KEY")
PRESETS = ["community-of-practice", "customers-and-employees", "learning-community", "professional-community"]


def load(text: str) -> Settings:
    from ordito.policies.builtin import KINDS

    return read(
        text,
        "ordito.yaml",
        Path("/nowhere"),
        {},
        {name: kind.Parameters for name, kind in KINDS.items()},
        {name: entry.settings() for name, entry in CONNECTORS.items()},
    )


def test_there_are_four_presets_and_each_says_for_whom_it_is() -> None:
    assert list(presets()) == PRESETS
    assert all(len(line) > 30 and line.endswith(".") for line in presets().values())


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("sites", [(FORUM,), (WIKI,), (FORUM, WIKI), (OTHER, WIKI, FORUM)])
@pytest.mark.parametrize("timezone", ["", "America/Lima"])
def test_every_preset_gives_settings_without_a_fault(
    preset: str, sites: tuple[Site, ...], timezone: str
) -> None:
    answers = Answers(sites, language="it", contact="admin@example.org", timezone=timezone, preset=preset)
    text = draft(answers)
    settings = load(text)
    assert list(settings.sites) == [site.name for site in sites]
    assert settings.language == "it"
    quiet = settings.constitution.quiet_hours
    assert (quiet.timezone if quiet else "") == timezone
    assert settings.constitution.mode.level == "propose"
    assert (settings.constitution.stop is not None) == (WIKI in sites)
    families = {site.name: site.family for site in sites}
    for name, policy in settings.policies.items():
        assert policy.on, name
        assert set(policy.on) <= set(families)
    covered = {site for policy in settings.policies.values() for site in policy.on}
    assert covered == set(families)
    assert "#%" not in text
    assert "\n\n\n" not in text


@pytest.mark.parametrize("preset", PRESETS)
def test_no_line_is_too_wide_for_a_terminal(preset: str) -> None:
    text = draft(Answers((FORUM, WIKI), preset=preset, timezone="Europe/Rome"))
    assert max(map(len, text.split("\n"))) <= 110


def test_every_block_is_explained() -> None:
    lines = draft(Answers((FORUM, WIKI), timezone="Europe/Rome")).split("\n")
    for number, line in enumerate(lines):
        starts_block = line.endswith(":") and not line.startswith("    ") and not line.startswith("#")
        if starts_block and line not in ("sites:",):
            before = lines[number - 1].strip() or lines[number - 2].strip()
            assert before.startswith("#"), line


def test_answers_with_odd_characters_stay_text() -> None:
    odd = Site("wiki", "mediawiki", WIKI.url, "Ana: #1 'bot'@x", WIKI.variable)
    settings = load(draft(Answers((odd,), contact="a: b # c")))
    assert settings.to_dict()["sites"]["wiki"]["username"] == "Ana: #1 'bot'@x"
    assert settings.contact == "a: b # c"
    yes = Site("forum", "discourse", "https://f.example.org", "yes", "ORDITO_FORUM_KEY")
    assert load(draft(Answers((yes,)))).to_dict()["sites"]["forum"]["username"] == "yes"


@pytest.mark.parametrize(
    ("connector", "text", "url"),
    [
        ("discourse", " forum.example.org/ ", "https://forum.example.org"),
        ("discourse", "http://localhost:3000/forum/", "http://localhost:3000/forum"),
        ("mediawiki", "wiki.example.org", "https://wiki.example.org/api.php"),
        ("mediawiki", "https://wiki.example.org/w/index.php/Main_Page", "https://wiki.example.org/w/api.php"),
        ("mediawiki", "https://wiki.example.org/w/index.php?title=A", "https://wiki.example.org/w/api.php"),
        ("mediawiki", "https://wiki.example.org/wiki/Main_Page", "https://wiki.example.org/api.php"),
        ("mediawiki", "https://wiki.example.org/w/api.php", "https://wiki.example.org/w/api.php"),
    ],
)
def test_an_address_is_understood_as_people_paste_it(connector: str, text: str, url: str) -> None:
    assert tidy_url(connector, text) == url


@pytest.mark.parametrize("text", ["", "ftp://x.org", "https://me:pw@x.org", "two words", "http://["])
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="is not an address"):
        tidy_url("discourse", text)


def test_a_secrets_variable_is_named_after_its_site() -> None:
    assert variable_for("forum", "discourse") == "ORDITO_FORUM_KEY"
    assert variable_for("help-wiki", "mediawiki") == "ORDITO_HELP_WIKI_PASSWORD"


def test_an_unknown_preset_is_refused_with_the_nearest_one() -> None:
    with pytest.raises(UsageError, match="Did you mean 'learning-community'"):
        draft(Answers((FORUM,), preset="learning-comunity"))


def test_two_sites_of_one_name_or_none_at_all_are_refused() -> None:
    for sites in ((), (FORUM, FORUM)):
        with pytest.raises(UsageError, match="each with its own name"):
            draft(Answers(sites))


def test_a_file_that_exists_is_never_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "ordito.yaml"
    write(path, "a")
    with pytest.raises(UsageError, match="exists already and stays as it is"):
        write(path, "b")
    assert path.read_text(encoding="utf-8") == "a"
    with pytest.raises(StoreError, match="cannot be written"):
        write(tmp_path / "none" / "ordito.yaml", "a")


@pytest.mark.parametrize("preset", PRESETS)
def test_the_policies_of_a_draft_stand_apart(preset: str) -> None:
    lines = draft(Answers((FORUM, WIKI), preset=preset)).splitlines()
    begun = [number for number, line in enumerate(lines) if re.fullmatch(r"  [a-z-]+:", line)]
    policies = [number for number in begun if number > lines.index("policies:")]
    assert len(policies) >= 5
    for number in policies:
        above = number - 1
        while lines[above].startswith("  #"):
            above -= 1
        assert lines[above] == ""
