"""Settings that are right."""

from __future__ import annotations

import json
import pickle
import subprocess
import sys
from datetime import date, time
from pathlib import Path
from typing import Any

import pytest

from ordito.config.durations import Duration
from ordito.config.errors import Misconfigured
from ordito.config.loader import load
from ordito.config.mode import Earn, Mode
from ordito.config.settings import Settings

from .samples import CONNECTORS, ENVIRON, FULL, KEY, KINDS, SITES, ForumSettings, WikiSettings


def settings(folder: Path, text: str, environ: dict[str, str] = ENVIRON) -> Settings:
    path = folder / "ordito.yaml"
    path.write_text(text, encoding="utf-8")
    return load(path, environ, KINDS, CONNECTORS)


def test_the_settings_of_the_design_are_read_as_they_are_meant(tmp_path: Path) -> None:
    (tmp_path / "wiki-password").write_text("pass word\n", encoding="utf-8")
    read = settings(tmp_path, FULL)
    forum, wiki = read.sites["forum"], read.sites["wiki"]
    assert isinstance(forum, ForumSettings)
    assert isinstance(wiki, WikiSettings)
    assert forum.api_key.reveal() == KEY
    assert wiki.password.reveal() == "pass word"
    assert forum.since == date(2020, 1, 1)
    assert forum.sweep == Duration(1, "day")
    assert forum.exclude.spaces == ["Lounge"]
    constitution = read.constitution
    assert constitution.mode.level == "earn"
    assert (constitution.mode.earn.reviews, constitution.mode.earn.accepted) == (40, 0.975)
    assert constitution.limits.share == 0.05
    assert constitution.quiet_hours is not None
    assert (constitution.quiet_hours.start, constitution.quiet_hours.end) == (time(20), time(8))
    assert constitution.quiet_hours.zone.key == "Europe/Rome"
    assert constitution.stop == "wiki:title:Project:Ordito/Stop"
    assert list(read.policies) == ["welcome-newcomers"]
    assert read.policies["welcome-newcomers"].on == ["forum"]


def test_what_is_left_out_has_the_defaults_of_the_design(tmp_path: Path) -> None:
    read = settings(tmp_path, SITES + "constitution:\npolicies:\n")
    assert read.policies == {}
    assert read.identities.username == "suggest"
    constitution = read.constitution
    assert constitution.mode == Mode("propose")
    assert (constitution.limits.per_run, constitution.limits.per_policy) == (50, 20)
    assert constitution.contact.per == Duration(7, "day")
    assert constitution.quiet_hours is None
    assert constitution.never.labels == ["keep"]
    assert constitution.opt_out.phrase == "STOP"
    assert constitution.stop is None
    assert constitution.undo_window == Duration(10, "minute")
    assert read.sites["forum"].requests_per_minute == 30


def test_relative_paths_start_from_the_folder_of_the_settings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "ordito.yaml").write_text(SITES + "identities: {file: people.yaml}\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path.parent)
    read = load(f"{tmp_path.name}/ordito.yaml", ENVIRON, KINDS, CONNECTORS)
    assert read.store_url == f"sqlite:///{tmp_path}/ordito.db"
    assert read.identities.file == str(tmp_path / "people.yaml")
    absolute = settings(tmp_path, "store: sqlite:////var/lib/ordito.db\n" + SITES)
    assert absolute.store_url == "sqlite:////var/lib/ordito.db"


def test_the_store_may_come_from_the_environment(tmp_path: Path) -> None:
    text = "store: {env: ORDITO_STORE}\n" + SITES
    url = "postgresql://ordito:pw@db/ordito"
    assert settings(tmp_path, text, {"ORDITO_STORE": url}).store_url == url
    with pytest.raises(Misconfigured, match="ORDITO_STORE"):
        _ = settings(tmp_path, text, {}).store_url
    with pytest.raises(Misconfigured) as caught:
        _ = settings(tmp_path, text, {"ORDITO_STORE": "mysql://u:pw@db"}).store_url
    assert "pw" not in str(caught.value)


def test_anchors_aliases_and_merge_keys_may_be_used(tmp_path: Path) -> None:
    text = """\
sites:
  forum: &forum
    connector: discourse
    url: https://forum.example.org
    username: &name ordito
    api_key: {env: ORDITO_FORUM_KEY}
  lounge:
    <<: *forum
    url: https://lounge.example.org
    username: *name
"""
    lounge = settings(tmp_path, text).sites["lounge"]
    assert isinstance(lounge, ForumSettings)
    assert (lounge.url, lounge.username) == ("https://lounge.example.org", "ordito")


def test_a_byte_order_mark_is_no_fault(tmp_path: Path) -> None:
    path = tmp_path / "ordito.yaml"
    path.write_bytes(b"\xef\xbb\xbf" + SITES.encode())
    assert list(load(path, ENVIRON, KINDS, CONNECTORS).sites) == ["forum"]


def test_a_missing_secret_is_found_when_it_is_needed_and_names_its_source(tmp_path: Path) -> None:
    forum = settings(tmp_path, SITES, {}).sites["forum"]
    assert isinstance(forum, ForumSettings)
    with pytest.raises(Misconfigured, match="environment variable ORDITO_FORUM_KEY is not set") as caught:
        forum.api_key.reveal()
    assert "export ORDITO_FORUM_KEY" in caught.value.hint


@pytest.mark.parametrize(
    ("content", "fault"),
    [(None, "cannot be read"), (b"", "not set or empty"), (b"a\nb", "line breaks"), (b"\xff", "UTF-8")],
)
def test_a_secret_file_that_cannot_serve_says_why(tmp_path: Path, content: bytes | None, fault: str) -> None:
    if content is not None:
        (tmp_path / "key").write_bytes(content)
    text = SITES.replace("{env: ORDITO_FORUM_KEY}", "{file: key}")
    forum = settings(tmp_path, text).sites["forum"]
    assert isinstance(forum, ForumSettings)
    assert fault in forum.api_key.fault
    with pytest.raises(Misconfigured, match=fault):
        forum.api_key.reveal()


def test_secrets_are_shown_nowhere(tmp_path: Path) -> None:
    (tmp_path / "wiki-password").write_text("0f3aSECRETwiki", encoding="utf-8")
    read = settings(tmp_path, FULL)
    forum = read.sites["forum"]
    shown = [repr(read), str(read), repr(forum), f"{forum}", json.dumps(read.to_dict())]
    assert isinstance(forum, ForumSettings)
    shown += [repr(forum.api_key), f"{forum.api_key}", str(forum.model_dump()), forum.model_dump_json()]
    assert not [text for text in shown if "SECRET" in text]
    with pytest.raises(TypeError):
        pickle.dumps(forum.api_key)


def test_the_json_form_can_be_read_back(tmp_path: Path) -> None:
    (tmp_path / "wiki-password").write_text("x", encoding="utf-8")
    document: dict[str, Any] = settings(tmp_path, FULL).to_dict()
    assert document["constitution"]["quiet_hours"]["from"] == "20:00"
    assert document["sites"]["forum"]["api_key"] == {"env": "ORDITO_FORUM_KEY"}
    again = settings(tmp_path, json.dumps(document))
    assert again.to_dict() == document


def test_a_ceiling_lowers_a_mode_and_hardens_what_must_be_earned() -> None:
    off, propose, auto = Mode("off"), Mode("propose"), Mode("auto")
    easy, hard = Mode("earn"), Mode("earn", Earn.model_validate({"reviews": 60, "accepted": "90%"}))
    assert auto.within(propose) == propose
    assert off.within(auto) == off
    assert auto.within(easy) == easy
    assert easy.within(hard).earn == Earn.model_validate({"reviews": 60, "accepted": "95%"})


def test_the_package_of_the_settings_loads_no_heavy_library() -> None:
    code = "import sys, ordito.config, ordito.config.errors; sys.exit('pydantic' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_key_is_found_again_in_the_file(tmp_path: Path) -> None:
    read = settings(tmp_path, SITES)
    name = f"{tmp_path}/ordito.yaml"
    assert read.where("sites", "forum", "url") == f"{name}:4:5"
    assert read.where("sites", "forum", "webhook") == f"{name}:2:3"
    assert read.where("constitution", "stop") == name
