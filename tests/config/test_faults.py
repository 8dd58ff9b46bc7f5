"""Settings that are wrong: each fault has its line, its column, its path and a way out."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from ordito.config.errors import SettingsError
from ordito.config.loader import load, read

from .samples import CONNECTORS, ENVIRON, FULL, KEY, KINDS, SITES


def faults(text: str) -> list[str]:
    """The faults as a user sees them, without the file's name."""
    with pytest.raises(SettingsError) as caught:
        read(text, "f", Path("/nowhere"), ENVIRON, KINDS, CONNECTORS)
    assert caught.value.exit_code == 2
    return [str(fault).removeprefix("f:") for fault in caught.value.faults]


def changed(old: str, new: str) -> str:
    """The full settings with one thing changed; the mark ‸ is left out."""
    assert FULL.count(old) == 1, f"{old!r} must stand there once"
    return FULL.replace(old, new.replace("‸", ""))


def place(old: str, new: str) -> str:
    """Line and column of the mark ‸ in the changed settings."""
    before = FULL.replace(old, new).partition("‸")[0].split("\n")
    return f"{len(before)}:{len(before[-1]) + 1}: "


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("  mode: {earn", "  ‸mod: {earn",
         "constitution.mod: unknown key 'mod'. Did you mean 'mode'?"),
        ("per_policy: 20", "‸per-polcy: 20",
         "constitution.limits.per-polcy: unknown key 'per-polcy'. Did you mean 'per_policy'?"),
        ("reviews: 40", "‸review: 40",
         "constitution.mode.earn.review: unknown key 'review'. Did you mean 'reviews'?"),
        ("mode: {earn", "mode: {‸erned",
         "constitution.mode.erned: unknown key 'erned'. Did you mean 'earn'?"),
        ("identities:", "‸identitis:", "identitis: unknown key 'identitis'. Did you mean 'identities'?"),
        ("webhook: 3", "‸webhok: 3", "sites.forum.webhok: unknown key 'webhok'. Did you mean 'webhook'?"),
        ("use: welcome", "use: ‸welcom",
         "policies.welcome-newcomers.use: there is no 'welcom'. Did you mean 'welcome'?"),
        ("connector: mediawiki", "connector: ‸MediaWicki",
         "sites.wiki.connector: there is no 'MediaWicki'. Did you mean 'mediawiki'?"),
        ("username: suggest", "username: ‸sugest",
         "identities.username: 'sugest' cannot stand here. Did you mean 'suggest'?"),
        ("[greeters]", "[‸greters]",
         "policies.welcome-newcomers.send.with[0]: 'greters' cannot stand here."
         " Did you mean 'greeters'?"),
        ("on: [forum]", "on: [‸forun]",
         "policies.welcome-newcomers.on[0]: there is no site 'forun'. Did you mean 'forum'?"),
        ("stop: wiki:", "stop: ‸wikki:",
         "constitution.stop: there is no site 'wikki'. Did you mean 'wiki'?"),
        ("mode: propose", "mode: ‸propse",
         "policies.welcome-newcomers.mode: 'propse' is not a mode. Did you mean 'propose'?"),
        ("Europe/Rome", "‸Europe/Roma",
         "constitution.quiet_hours.timezone: there is no time zone 'Europe/Roma'."
         " Did you mean 'Europe/Rome'?"),
        ('joined: "<', '‸joind: "<',
         "policies.welcome-newcomers.when.joind: unknown fact 'joind'. Look."),
    ],
)  # fmt: skip
def test_a_wrong_word_is_named_with_the_nearest_valid_one(old: str, new: str, fault: str) -> None:
    assert faults(changed(old, new)) == [place(old, new) + fault]


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("webhook: 3", "webhook: ‸three", "sites.forum.webhook: should be a whole number."),
        ("webhook: 3", "webhook: ‸true", "sites.forum.webhook: should be a whole number."),
        ("text: true", "text: ‸yes", "sites.forum.text: should be true or false."),
        ("[Lounge]", "[‸2024]", "sites.forum.exclude.spaces[0]: should be text. Put it in quotes."),
        ("[Lounge]", "‸Lounge",
         "sites.forum.exclude.spaces: should be a list."
         " Write [a, b], or one item per line after '- '."),
        ("2020-01-01", "‸2020-02-30", "sites.forum.since: should be a date. Write it as 2020-01-31."),
        ("sweep: 1 day", "sweep: ‸daily",
         "sites.forum.sweep: 'daily' is not a duration. Write a number and a unit"
         " (minutes, hours, days, weeks, months, years): '14 days'."),
        ("share: 5%", "share: ‸5",
         "constitution.limits.share: should be a percentage. Write a number and the sign: '5%'."),
        ("share: 5%", "share: ‸500%", "constitution.limits.share: should lie between 0% and 100%."),
        ('from: "20:00"', "from: ‸8pm",
         "constitution.quiet_hours.from: should be a time of day. Write it as \"20:00\"."),
        ("accepted: 97.5%", "accepted: ‸many",
         "constitution.mode.earn.accepted: should be a percentage."
         " Write a number and the sign: '5%'."),
        ("edits_per_minute: 6", "edits_per_minute: ‸0",
         "sites.wiki.edits_per_minute: should be at least 1."),
        ("on: [forum]", "on: ‸[]", "policies.welcome-newcomers.on: must not be empty."),
        ("https://forum", "‸forum",
         "sites.forum.url: should be an address. Write it as https://forum.example.org."),
        ("https://forum", "‸https://me:hunter2@forum",
         "sites.forum.url: an address must not contain a user or a password."
         " Write it as https://forum.example.org."),
        ("language: en", "language: ‸English",
         "language: 'English' is not a language. Write a tag such as en, it or pt-BR."),
        ("wiki:title:Project:Ordito/Stop", "‸Project:Ordito",
         "constitution.stop: 'Project:Ordito' is not a reference."
         " Write site:kind:id, such as forum:thread:123 or wiki:title:Project:Ordito/Stop."),
        ("contact: admin@example.org", "contact: ‸\"a\\nb\"",
         "contact: should be one line of plain ASCII. An e-mail address or a URL will do."),
        ("sqlite:///ordito.db", "‸mysql://db",
         "store: a store is a SQLite file or a PostgreSQL database."
         " Write sqlite:///ordito.db or postgresql://host/database."),
        ("namespaces: [0, 1", "namespaces: [‸!!int x, 1",
         "sites.wiki.namespaces[0]: not a number. If it is text, put it in quotes."),
        ("namespaces: [0, 1", "namespaces: [‸.inf, 1",
         "sites.wiki.namespaces[0]: not a finite number. If it is text, put it in quotes."),
        ("language: en", "language: ‸!en en",
         "language: a YAML tag (!…) means nothing here. Put the text in quotes."),
    ],
)  # fmt: skip
def test_a_wrong_value_is_named_with_what_should_stand_there(old: str, new: str, fault: str) -> None:
    found = faults(changed(old, new))
    assert found[0] == place(old, new) + fault
    assert len(found) == 1 or "!" in new


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("    connector: discourse\n    url: https://forum.example.org\n", "    ‸connector: discourse\n",
         "sites.forum: 'url' is missing here."),
        ("    connector: discourse\n    url", "    ‸url",
         "sites.forum: 'connector' is missing here. Known here: discourse, mediawiki."),
        ("    use: welcome\n    on", "    ‸on",
         "policies.welcome-newcomers: 'use' is missing here. Known here: welcome."),
        ("{message: welcome, with", "‸{with", "policies.welcome-newcomers.send: 'message' is missing here."),
        ('{from: "20:00", to: "08:00", timezone: Europe/Rome}', '‸{from: "20:00", to: "08:00"}',
         "constitution.quiet_hours: 'timezone' is missing here."),
    ],
)  # fmt: skip
def test_a_missing_key_is_named_where_it_should_stand(old: str, new: str, fault: str) -> None:
    assert faults(changed(old, new)) == [place(old, new) + fault]


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("sites:\n\tforum: 1\n", "2:1: a tab. Indent with spaces."),
        ("a: b: c\n",
         "1:5: a ':' where none may stand. Check the indentation of this line,"
         " and put text that contains ': ' in quotes."),
        ("a: *hunter2\n",
         "1:4: an alias (*…) without its anchor. Put text that begins with * in quotes."),
        ("a: 1\n---\nb: 2\n", "2:1: a second document. Keep one document in the file."),
        ("a: 'hunter2\n", "2:1: a quote that is never closed. Close the quote."),
        ("a: [1, 2\nb: 3\n", "2:2: a list that is not closed properly. Check for a missing comma or ]."),
        ("a: {b: 1\n", "2:1: a mapping that is not closed properly. Check for a missing comma or }."),
        ("a:\n  - b\n c: 1\n",
         "3:2: a line that is indented unlike those it belongs to."
         " Give all keys of a mapping the same indentation."),
        ('a: "\\q"\n', "1:6: an unknown escape (\\…) in double quotes. Use single quotes."),
        ("a: @hunter2\n", "1:4: a character that cannot begin a value. Put the text in quotes."),
        ("a: b\x00\n", "1:5: a control character. Remove it."),
        ("%FOO\na: 1\n", "2:1: this is not YAML. Check the indentation and the quotes here."),
        ("[" * 5000, "1:1: nested too deeply. Use fewer levels."),
        ("", "1:1: the file holds no settings."
         " Run 'ordito init' to write settings with comments, or write 'sites:' yourself."),
        ("# nothing\n", "1:1: the file holds no settings."
         " Run 'ordito init' to write settings with comments, or write 'sites:' yourself."),
        ("- a\n", "1:1: the settings should be a mapping. Begin with 'sites:'."),
        ("language: en\n", "1:1: sites: there are no sites. 'ordito init' asks for them."),
        ("language: en\nsites: {}\n", "2:8: sites: there are no sites. 'ordito init' asks for them."),
        ("sites: [forum]\n", "1:8: sites: should be a mapping. Write one name per line, indented."),
        ("sites: {forum: 3}\n", "1:16: sites.forum: should be a mapping. Begin with 'connector:'."),
        ("a: &a [*a]\n", "1:4: nested too deeply. Look for an anchor that contains itself."),
    ],
)  # fmt: skip
def test_what_is_no_settings_at_all_is_said_in_plain_words(text: str, fault: str) -> None:
    assert faults(text) == [fault]


def test_a_key_that_stands_twice_is_a_fault_and_the_first_place_is_named() -> None:
    assert faults(SITES + "    url: https://other.example.org\n") == [
        "7:5: sites.forum.url: 'url' stands here for the second time. It is already in line 4."
    ]
    assert faults(SITES + "language: en\nlanguage: it\n") == [
        "8:1: language: 'language' stands here for the second time. It is already in line 7."
    ]


def test_keys_must_be_words_and_merges_mappings() -> None:
    assert faults(SITES + "? [a]\n: 1\n<<: 3\n") == [
        "7:3: a key must be a word. Write key: value.",
        "9:5: '<<' takes a mapping. Write <<: *name-of-an-anchor.",
    ]


def test_half_a_character_is_a_fault() -> None:
    found = faults(SITES + 'contact: "\\ud800"\n"\\udc00": 1\n')
    assert found[0] == "7:10: contact: half a character (\\ud800…). Write the character itself."
    assert found[1] == "8:1: a key must be a word. Write key: value."


def test_names_of_sites_and_policies_can_stand_in_references() -> None:
    assert faults(SITES.replace("  forum:", "  My Forum:")) == [
        "2:3: sites.My Forum: 'My Forum' cannot be a name. Write 'my-forum'."
    ]
    assert faults(SITES + "policies:\n  '1': {use: welcome, on: [forum], send: {message: welcome}}\n") == [
        "8:3: policies.1: '1' cannot be a name. Use a-z, 0-9 and -, beginning with a letter."
    ]


def test_all_faults_come_at_once_in_the_order_of_the_file() -> None:
    text = FULL.replace("per: 7 days", "per: soon").replace("language: en", "langauge: en")
    text = text.replace("use: welcome", "use: welcom").replace("webhook: 3", "webhook: x")
    assert [fault.split(" ")[1] for fault in faults(text)] == [
        "langauge:", "sites.forum.webhook:", "constitution.contact.per:", "policies.welcome-newcomers.use:",
    ]  # fmt: skip


def test_every_unknown_fact_of_a_condition_is_named() -> None:
    found = faults(changed('{joined: "< 14 days", posts: ">= 1"}', "{joind: 1, psts: 2}"))
    assert [fault.split(":")[1] for fault in found] == ["12", "22"]


@pytest.mark.parametrize(
    "written",
    [KEY, f"{{env: {KEY}}}", f"{{value: {KEY}}}", f"[{KEY}]", f"{{env: {KEY}, file: x}}", "{env: [1]}", "7"],
)
def test_a_secret_that_is_written_out_is_refused_and_not_repeated(written: str) -> None:
    found = faults(changed("api_key: {env: ORDITO_FORUM_KEY}", f"api_key: {written}"))
    assert len(found) == 1
    assert found[0].startswith("9:14: sites.forum.api_key: ")
    assert found[0].endswith("the value itself never stands here.")
    assert KEY not in found[0]


@pytest.mark.parametrize(
    "url",
    ["postgresql://ordito:hunter2@db/ordito", "postgresql+psycopg://db/o?user=a&password=hunter2"],
)
def test_a_password_in_the_stores_url_is_refused_and_not_repeated(url: str) -> None:
    found = faults(changed("sqlite:///ordito.db", url))
    assert found == [
        "1:8: store: a password must not stand in the settings."
        " Write store: {env: ORDITO_STORE}, or leave the password to ~/.pgpass or PGPASSWORD."
    ]


@pytest.mark.parametrize("place", ["*", "&", "!", "%", "@", "'", '"', "[", "{", "\t", "? ", ": "])
def test_a_password_that_breaks_the_yaml_is_not_repeated(place: str) -> None:
    found = faults(changed("api_key: {env: ORDITO_FORUM_KEY}", f"api_key: {place}hunter2"))
    assert not [fault for fault in found if "hunter2" in fault]


def test_a_file_that_cannot_be_read_says_what_to_do(tmp_path: Path) -> None:
    for path, message in [
        (tmp_path / "none.yaml", "there are no settings here. Run 'ordito init'"),
        (tmp_path, "the settings cannot be read (Is a directory)."),
        (tmp_path / ("x" * 300), "the settings cannot be read (File name too long)."),
    ]:
        with pytest.raises(SettingsError) as caught:
            load(path, ENVIRON, KINDS, CONNECTORS)
        assert str(caught.value).startswith(f"{path}: {message}")
    latin = tmp_path / "latin.yaml"
    latin.write_bytes("language: en\ncontact: caffè\n".encode("latin-1"))
    with pytest.raises(SettingsError, match=r"latin.yaml:2:14: not UTF-8\. Save the file as UTF-8\."):
        load(latin, ENVIRON, KINDS, CONNECTORS)


def test_the_name_of_the_file_is_the_one_that_was_given() -> None:
    with pytest.raises(SettingsError) as caught:
        read("sites: 1", "conf/ordito.yaml", Path("/nowhere"), ENVIRON, KINDS, CONNECTORS)
    assert caught.value.where == "conf/ordito.yaml:1:8"


_PIECES = st.sampled_from(
    ["\t", ":", ": ", "- ", "[", "]", "{", "}", "*a", "&a ", "<<: ", "!!int ", "!x ", "'", '"', "\\", "#",
     "|\n", "\n", "\n  ", "? ", "%", "---\n", "...\n", "~", "null", "true", "1e999", "-1", "0x1F", "é",
     "2020-01-01", "\x00", "\u2028", "\ufeff", "a", "12345678901234567890", "[" * 50, "{a: " * 50, "\r",
     "=", "!!python/object:os.system "]
) | st.text(max_size=5)  # fmt: skip


@st.composite
def damaged(draw: st.DrawFn) -> str:
    text = FULL
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(text)))
        end = min(len(text), start + draw(st.integers(0, 30)))
        text = text[:start] + draw(_PIECES) + text[end:]
    return text


@given(damaged())
@hypothesis_settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_damage_to_the_file_never_gives_anything_but_placed_faults(text: str) -> None:
    try:
        read(text, "f", Path("/nowhere"), ENVIRON, KINDS, CONNECTORS)
    except SettingsError as error:
        lines = text.replace("\r\n", "\n").count("\n") + text.count("\r") + text.count("\u2028") + 3
        for fault in error.faults:
            assert 1 <= fault.line <= lines
            assert fault.column >= 1
            assert fault.message.endswith(".")
            assert KEY not in str(fault)
        places = [(fault.line, fault.column) for fault in error.faults]
        assert places == sorted(places)
