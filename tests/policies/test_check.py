"""What `ordito check` says, with and without the sites."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any, cast

import pytest

from ordito.config.errors import SignInFailed
from ordito.config.loader import read
from ordito.connectors.actions import AddToGroup, CloseThread, EditText, GrantBadge, SendMessage
from ordito.connectors.base import Connector, Finding, Health
from ordito.connectors.registry import CONNECTORS
from ordito.policies.builtin import KINDS
from ordito.policies.check import Checker, Row, worst
from ordito.policies.engine import Engine
from ordito.policies.messages import Messages

SITES = """\
sites:
  forum: {connector: sandbox, file: sandbox.db, side: forum}
  wiki: {connector: sandbox, file: sandbox.db, side: wiki}
"""
WELCOME = """\
  greet:
    use: welcome
    on: [forum]
    send: {message: welcome, with: [greeters]}
"""


def checker(folder: Path, policies: str, head: str = SITES) -> Checker:
    settings = read(
        f"{head}policies:\n{policies}" if policies else head,
        "f",
        folder,
        {},
        {name: kind.Parameters for name, kind in KINDS.items()},
        {name: entry.settings() for name, entry in CONNECTORS.items()},
    )
    platforms = {
        name: CONNECTORS[site.connector].platform(name, site) for name, site in settings.sites.items()
    }
    own = folder / "messages"
    messages = Messages(own if own.is_dir() else None, settings.language)
    engine = Engine(settings, platforms, messages, cast(Any, None), cast(Any, None))
    return Checker(settings, engine.policies, platforms, messages, date(2026, 3, 1))


class FakeSite:
    """A site whose answer to `probe` is given."""

    def __init__(self, answer: Health | Exception) -> None:
        self._answer = answer

    def probe(self) -> Health:
        if isinstance(self._answer, Exception):
            raise self._answer
        return self._answer


HEALTH = Health(
    account="ordito",
    account_id="1",
    version="3.5",
    can=frozenset({SendMessage, AddToGroup, CloseThread, EditText, GrantBadge}),
    counts={"members": 1200, "threads": 80},
    requests=42,
    groups=frozenset({"greeters", "no-automation"}),
    badges=frozenset({"Expert"}),
)


def online(found: Checker, answer: Health | Exception) -> list[Row]:
    return found.online(lambda site: cast(Connector, FakeSite(answer)))


def gravest(rows: list[Row]) -> list[tuple[str, str, str]]:
    return [(row.level, row.where, f"{row.message} {row.hint}") for row in rows if row.level != "ok"]


def test_settings_without_a_fault_are_one_good_line(tmp_path: Path) -> None:
    rows = checker(tmp_path, WELCOME).offline()
    assert rows == [Row("ok", "f", "settings, policies and messages are right (2 sites, 1 active policy)")]


def test_a_verb_that_a_connector_lacks_is_an_error_at_its_line(tmp_path: Path) -> None:
    policy = "  tidy:\n    use: stale\n    on: [wiki]\n    when: {quiet: '> 1 year'}\n    then: [close]\n"
    level, where, text = gravest(checker(tmp_path, policy).offline())[0]
    assert (level, where) == ("error", "f:9:12")
    assert text.startswith("tidy is to close thread on wiki, which sandbox cannot do. It can: add to group,")


def test_what_the_estimate_does_not_count_is_a_sentence_after_it(tmp_path: Path) -> None:
    health = replace(HEALTH, uncounted="Messages come on top.")
    row = online(checker(tmp_path, WELCOME), health)[0]
    assert f"{row.message} {row.hint}".endswith("takes about 42 requests. Messages come on top.")


@pytest.mark.parametrize(("since", "found"), [("2026-03-01", 0), ("2026-03-02", 1)])
def test_a_history_that_begins_in_the_future_is_an_error(tmp_path: Path, since: str, found: int) -> None:
    head = f"sites: {{forum: {{connector: sandbox, file: s.db, side: forum, since: {since}}}}}\n"
    rows = gravest(checker(tmp_path, "", head).offline())
    assert [row for row in rows if row[0] == "error" and "in the future" in row[2]] == rows
    assert len(rows) == found


def test_a_policy_that_is_off_needs_nothing(tmp_path: Path) -> None:
    policy = "  tidy:\n    use: stale\n    on: [wiki]\n    then: [close]\n    mode: off\n"
    assert worst(checker(tmp_path, policy).offline()) == "ok"
    ceiling = SITES + "constitution: {mode: off}\n"
    assert worst(checker(tmp_path, policy.replace("mode: off", "mode: auto"), ceiling).offline()) == "ok"


def test_a_fact_that_a_platform_does_not_have_is_a_warning(tmp_path: Path) -> None:
    policy = "  r:\n    use: rule\n    for: thread\n    on: [wiki]\n    when: {solved: true, posts: '> 3'}\n"
    policy += "    do: [{set_labels: {add: [a]}}]\n"
    assert gravest(checker(tmp_path, policy).offline()) == [
        ("warning", "f:9:12", "r asks for 'solved', which is unknown on wiki: it never matches there."
         " Remove the site from 'on', or the fact.")
    ]  # fmt: skip


def test_a_message_that_does_not_exist_is_an_error_with_the_nearest_name(tmp_path: Path) -> None:
    rows = checker(tmp_path, WELCOME.replace("message: welcome", "message: welcom")).offline()
    assert gravest(rows) == [
        ("error", "f:8:5", "there is no message 'welcom' in markdown. Did you mean 'welcome'?")
    ]


def test_a_language_without_messages_is_a_warning_that_names_the_file_to_write(tmp_path: Path) -> None:
    rows = checker(tmp_path, WELCOME, "language: de\n" + SITES).offline()
    assert gravest(rows) == [
        ("warning", "messages/en/welcome.markdown.j2", "there is no 'welcome' in 'de'; 'en' is used."
         " Write messages/de/welcome.markdown.j2 beside the settings.")
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("Subject: Hi\n\nOrdito: {{ stop }}", "it never says {{ why }}."),
        ("Subject: Hi\n\nOrdito: {{ why }}", "it never says {{ stop }}."),
        ("Hi\n\nOrdito: {{ why }} {{ stop }}", "its first line must be 'Subject: …'."),
        ("Subject: Hi{% if true %} you{% endif %}\n\nOrdito: {{ why }} {{ stop }}", "close it by +%}."),
        ("Subject: Hi {# friendly #}\n\nOrdito: {{ why }} {{ stop }}", "close it by +%}."),
        ("Subject: Hi\n\n{{ why }} {{ stop }}", "it never says from whom it comes."),
        ("Subject: Hi\n\nOrdito {{ why }} {{ stop }} {% if %}", "line 3:"),
        ("Subject: Hi\n\nOrdito {{ why }} {{ stop }} {{ membr }}", "'membr' is undefined."),
        ("Subject: Hi\n\nOrdito {{ why }} {{ stop }} {{ ''.__class__ }}", "unsafe"),
    ],
)
def test_an_own_message_that_is_wrong_is_an_error(tmp_path: Path, text: str, fault: str) -> None:
    folder = tmp_path / "messages" / "en"
    folder.mkdir(parents=True)
    (folder / "welcome.markdown.j2").write_text(text, encoding="utf-8")
    rows = gravest(checker(tmp_path, WELCOME).offline())
    assert {level for level, _, _ in rows} == {"error"}
    assert all(where.startswith("messages/en/welcome.markdown.j2") for _, where, _ in rows)
    assert any(fault in found for _, _, found in rows)


def test_an_own_message_in_another_language_is_tried_too(tmp_path: Path) -> None:
    folder = tmp_path / "messages" / "de"
    folder.mkdir(parents=True)
    (folder / "welcome.markdown.j2").write_text("Subject: Hallo\n\nOrdito {{ why }}", encoding="utf-8")
    assert [row.where for row in checker(tmp_path, WELCOME).offline()] == ["messages/de/welcome.markdown.j2"]


def test_a_rules_message_may_use_what_rules_give_and_nothing_else(tmp_path: Path) -> None:
    folder = tmp_path / "messages" / "en"
    folder.mkdir(parents=True)
    policy = "  r:\n    use: rule\n    for: thread\n    on: [forum]\n    when: {posts: '> 3'}\n"
    policy += "    do: [{reply: {message: long}}]\n"
    template = "Subject: {{ thread.title }}\n\nOrdito: %s. {{ why }} {{ stop }}\n"
    own = folder / "long.markdown.j2"
    words = "{{ member.mention }} wrote {{ facts.posts }}, {{ thread.url }}"
    own.write_text(template % words, encoding="utf-8")
    assert worst(checker(tmp_path, policy).offline()) == "ok"
    own.write_text(template % "{{ greeters }}", encoding="utf-8")
    assert "'greeters' is undefined" in gravest(checker(tmp_path, policy).offline())[0][2]


def test_missing_secrets_and_files_are_errors_and_the_site_is_not_asked(tmp_path: Path) -> None:
    head = """\
identities: {file: people.yaml}
sites:
  wiki:
    connector: mediawiki
    url: https://wiki.example.org/api.php
    username: Ordito@cron
    password: {env: ORDITO_WIKI_PASSWORD}
"""
    found = checker(tmp_path, "", head)
    assert gravest(found.offline()) == [
        ("error", "f:7:5", "environment variable ORDITO_WIKI_PASSWORD is not set or empty."
         " Set it before the command: export ORDITO_WIKI_PASSWORD=…"),
        ("error", "f:1:14", f"there is no file {tmp_path}/people.yaml. Write it, or remove this key."),
    ]  # fmt: skip
    assert online(found, HEALTH) == []


def test_a_store_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    found = checker(tmp_path, "", "store: sqlite:///none/ordito.db\n" + SITES)
    assert gravest(found.offline())[0][:2] == ("error", "f:1:1")
    unset = checker(tmp_path, "", "store: {env: ORDITO_STORE}\n" + SITES)
    assert "ORDITO_STORE is not set" in gravest(unset.offline())[0][2]


def test_a_good_site_says_who_we_are_and_how_large_it_is(tmp_path: Path) -> None:
    rows = online(checker(tmp_path, WELCOME), HEALTH)
    assert [(row.level, row.where) for row in rows] == [("ok", "forum"), ("ok", "wiki")]
    assert rows[0].message == (
        "signed in as ordito (version 3.5); 1,200 members, 80 threads; a first sync takes about 42 requests"
    )


def test_of_one_thing_it_speaks_in_the_singular(tmp_path: Path) -> None:
    alone = replace(HEALTH, counts={"members": 1, "threads": 2}, requests=1)
    told = online(checker(tmp_path, WELCOME), alone)[0].message
    assert told.endswith("; 1 member, 2 threads; a first sync takes about 1 request")


def test_a_right_that_the_account_lacks_is_an_error_for_the_policy_that_needs_it(tmp_path: Path) -> None:
    rows = online(checker(tmp_path, WELCOME), replace(HEALTH, can=frozenset()))
    assert gravest(rows) == [
        ("error", "f:8:5", "greet is to send message, which ordito may not do on forum."
         " Give the account that right, or take the step out of the policy.")
    ]  # fmt: skip


def test_groups_and_badges_that_do_not_exist_are_named_with_the_nearest(tmp_path: Path) -> None:
    policy = "  e:\n    use: experts\n    on: [forum]\n    give: {group: expert, badge: Expart}\n" + WELCOME
    groups = frozenset({"experts", "no-automation"})
    assert gravest(online(checker(tmp_path, policy), replace(HEALTH, groups=groups))) == [
        ("error", "f:8:12", "e names the group 'expert', which does not exist on forum."
         " Did you mean 'experts'? Else make the group first."),
        ("error", "f:8:27", "e names the badge 'Expart', which does not exist on forum."
         " Did you mean 'Expert'? Else make the badge first."),
        ("warning", "f:12:30", "greet names the group 'greeters', which does not exist on forum."
         " Known here: experts, no-automation. Else make the group first."),
    ]  # fmt: skip


def test_a_group_by_area_is_not_looked_for_under_its_placeholder(tmp_path: Path) -> None:
    policy = "  e:\n    use: experts\n    on: [forum]\n    give: {group: 'experts-{area}'}\n"
    assert worst(online(checker(tmp_path, policy), HEALTH)) == "ok"


def test_a_missing_group_for_opting_out_is_a_warning_on_forums(tmp_path: Path) -> None:
    rows = gravest(online(checker(tmp_path, ""), replace(HEALTH, groups=frozenset())))
    assert [(level, text.split(",")[0]) for level, _, text in rows] == [
        ("warning", "the group 'no-automation'")
    ]


def test_what_a_site_finds_itself_and_read_only_mode_are_passed_on(tmp_path: Path) -> None:
    health = replace(HEALTH, read_only=True, findings=(Finding("warning", "A key too mighty.", "Bind it."),))
    rows = gravest(online(checker(tmp_path, ""), health))
    assert ("warning", "forum", "A key too mighty. Bind it.") in rows
    assert ("warning", "forum", "the site takes no writes at the moment. Apply later.") in rows


def test_a_site_that_cannot_be_reached_does_not_keep_the_others_from_being_checked(tmp_path: Path) -> None:
    def connect(site: str) -> Connector:
        error = SignInFailed("the key is not accepted.", hint="Make a new one.")
        return cast(Connector, FakeSite(error if site == "forum" else HEALTH))

    rows = checker(tmp_path, "").online(connect)
    assert [(row.level, row.where) for row in rows] == [("error", "forum"), ("ok", "wiki")]
    assert rows[0].to_dict() == {
        "level": "error", "where": "forum", "message": "the key is not accepted.", "hint": "Make a new one.",
    }  # fmt: skip

