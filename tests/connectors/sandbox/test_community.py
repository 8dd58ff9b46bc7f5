"""What a generated community is like, and that people can act in it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ordito.config.errors import Conflict, Filtered, Forbidden, Misconfigured
from ordito.connectors.base import World
from ordito.connectors.sandbox.areas import AREAS
from ordito.connectors.sandbox.community import Sandbox
from ordito.connectors.sandbox.connector import SandboxConnector
from ordito.connectors.sandbox.generate import Sizes, generate
from ordito.connectors.sandbox.schema import micros, moment
from ordito.connectors.sandbox.settings import SandboxSettings
from tests.connectors.sandbox.export import categories, export, posts, topics, users
from tests.servers.discourse import load_forum
from tests.servers.discourse.load import Community, load

NOW = datetime(2026, 3, 1, 9, tzinfo=UTC)


def rows(path: Path) -> dict[str, list[tuple[object, ...]]]:
    sandbox = Sandbox(path, lambda: NOW)
    found = {
        "member": sandbox.db.execute("SELECT * FROM member").fetchall(),
        "thread": sandbox.db.execute("SELECT * FROM thread").fetchall(),
        "contribution": sandbox.db.execute("SELECT * FROM contribution").fetchall(),
        "journal": sandbox.db.execute("SELECT * FROM journal").fetchall(),
    }
    sandbox.close()
    return found


@pytest.fixture(scope="module")
def default(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """The community of the default sizes; the tests only read it."""
    path = tmp_path_factory.mktemp("sandbox") / "community.db"
    generate(path, Sizes(now=NOW))
    sandbox = Sandbox(path, lambda: NOW)
    yield sandbox
    sandbox.close()


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[Sandbox]:
    """A small community, an hour after its history ended."""
    path = tmp_path / "community.db"
    generate(path, Sizes(now=NOW, members=40, threads=40, contributions=120))
    sandbox = Sandbox(path, lambda: NOW + timedelta(hours=1))
    yield sandbox
    sandbox.close()


# Generated


def test_the_same_seed_makes_the_same_community_and_another_seed_another(tmp_path: Path) -> None:
    small = {"now": NOW, "members": 40, "threads": 40, "contributions": 120}
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        generate(tmp_path / name, Sizes(seed=seed, **small))  # type: ignore[arg-type]
    assert rows(tmp_path / "a") == rows(tmp_path / "b")
    assert rows(tmp_path / "a") != rows(tmp_path / "c")


def test_it_has_the_sizes_that_were_asked_for(default: Sandbox) -> None:
    assert len(default.rows("SELECT 1 FROM member")) == 120
    assert len(default.rows("SELECT 1 FROM thread")) == 400
    assert len(default.rows("SELECT 1 FROM contribution")) == 3000


def test_nothing_happens_before_its_author_came_or_after_the_end(default: Sandbox) -> None:
    early = default.rows(
        "SELECT c.id FROM contribution c JOIN member m ON m.side = c.side AND m.id = c.author"
        " WHERE c.created_at < m.joined_at"
    )
    late = default.rows("SELECT id FROM contribution WHERE created_at > ?", micros(NOW))
    orders = default.db.execute(
        "SELECT created_at FROM contribution WHERE side = 'forum' ORDER BY id"
    ).fetchall()
    assert not early
    assert not late
    assert orders == sorted(orders)


def test_every_answer_stands_in_the_thread_that_it_answers(default: Sandbox) -> None:
    strays = default.rows(
        "SELECT c.id FROM contribution c JOIN contribution p ON p.side = c.side AND p.id = c.parent"
        " WHERE p.thread != c.thread OR p.created_at > c.created_at"
    )
    wrong = default.rows(
        "SELECT t.id FROM thread t JOIN contribution c ON c.side = 'forum' AND c.id = t.solved_by"
        " WHERE t.side = 'forum' AND t.solved_by > 0 AND (c.thread != t.id OR c.author = t.author)"
    )
    assert not strays
    assert not wrong


def test_there_are_people_of_many_kinds(default: Sandbox) -> None:
    forum = default.rows("SELECT * FROM member WHERE side = 'forum'")
    wiki = default.rows("SELECT * FROM member WHERE side = 'wiki'")
    assert {row["language"] for row in forum} == {"en", "it"}
    assert any(row["bot"] for row in forum) and any(row["admin"] for row in forum)
    assert any(row["suspended_until"] for row in forum)
    assert any(not row["accepts"] for row in forum)
    recent = [row for row in forum if moment(row["joined_at"]) > NOW - timedelta(days=14)]
    assert len(recent) >= 8
    authors = Counter(
        row["author"] for row in default.rows("SELECT author FROM contribution WHERE side = 'forum'")
    )
    assert sum(row["id"] not in authors for row in forum) > 10
    assert authors.most_common(1)[0][1] > 50
    names = {row["username"].lower().replace(" ", "_") for row in forum}
    shared = [row for row in wiki if row["username"].lower().replace(" ", "_") in names]
    assert 5 < len(shared) < len(wiki)


def test_some_newcomers_were_greeted_and_some_were_not(default: Sandbox) -> None:
    first = default.rows(
        "SELECT t.id, (SELECT count(*) FROM contribution c WHERE c.side = 'forum' AND c.thread = t.id"
        " AND c.author != t.author) AS greetings FROM thread t JOIN member m ON m.side = 'forum' AND"
        " m.id = t.author WHERE t.side = 'forum' AND m.joined_at > ?",
        micros(NOW - timedelta(days=14)),
    )
    assert {bool(row["greetings"]) for row in first} == {True, False}


def test_topics_end_in_every_way(default: Sandbox) -> None:
    found = default.rows("SELECT * FROM thread WHERE side = 'forum' AND kind = 'topic'")
    last = {
        row["thread"]: row["author"]
        for row in default.rows("SELECT * FROM contribution WHERE side = 'forum' ORDER BY id")
    }
    counts = Counter(
        row["thread"] for row in default.rows("SELECT thread FROM contribution WHERE side = 'forum'")
    )
    assert sum(row["solved_by"] > 0 for row in found) > 50
    assert sum(counts[row["id"]] == 1 for row in found) > 10
    assert any(row["closed"] for row in found) and any(row["archived"] for row in found)
    asked = [row for row in found if counts[row["id"]] > 1 and not row["solved_by"]]
    assert {last[row["id"]] == row["author"] for row in asked} == {True, False}
    quiet = [row for row in found if moment(row["last_activity_at"]) < NOW - timedelta(days=180)]
    assert len(quiet) > 100
    assert {label for row in found for label in row["labels"].split("\n")} > {"bees", "gears", "csv", ""}


def test_the_wiki_has_pages_talk_and_history(default: Sandbox) -> None:
    pages = default.rows("SELECT * FROM thread WHERE side = 'wiki'")
    assert {row["space"] for row in pages} >= {0, 1, 2, 3, 4}
    assert any("Beekeeping" in row["labels"] for row in pages)
    assert any(moment(row["last_activity_at"]) < NOW - timedelta(days=365) for row in pages)
    assert len({row["title"] for row in pages}) == len(pages)


def test_our_own_account_is_there_and_has_not_been_spoken_to(default: Sandbox) -> None:
    assert default.account("forum")["admin"]
    assert default.groups_of("wiki", default.account("wiki")["id"]) >= {"bot", "bureaucrat"}
    assert not default.rows("SELECT 1 FROM thread WHERE title LIKE 'User talk:Ordito%'")
    ours = [default.account("forum")["id"], default.account("wiki")["id"]]
    assert not default.rows("SELECT 1 FROM contribution WHERE side = 'forum' AND author = ?", ours[0])
    assert not default.rows("SELECT 1 FROM contribution WHERE side = 'wiki' AND author = ?", ours[1])


def test_an_interrupted_generation_leaves_no_community(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "community.db"
    with monkeypatch.context() as patched:
        patched.setattr("ordito.connectors.sandbox.generate.INDEXES", "not SQL")
        with pytest.raises(Exception, match="syntax error"):
            generate(path, Sizes(now=NOW, members=40, threads=40, contributions=120))
    assert not path.exists()
    generate(path, Sizes(now=NOW, members=40, threads=40, contributions=120))
    assert path.stat().st_mode & 0o777 == 0o600


def test_another_file_is_not_taken_for_a_sandbox(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("Not a database, and not a short text either. " * 40)
    with pytest.raises(Misconfigured, match="is not a sandbox"):
        Sandbox(tmp_path / "notes.txt", lambda: NOW)
    with pytest.raises(Misconfigured, match="There is no sandbox"):
        Sandbox(tmp_path / "missing.db", lambda: NOW)


def test_the_connector_generates_what_the_settings_describe(tmp_path: Path) -> None:
    settings = SandboxSettings(
        connector="sandbox", file=str(tmp_path / "c.db"), side="forum", members=60, threads=50,
        contributions=300, now=NOW, languages=["it"],
    )  # fmt: skip
    world = World(now=lambda: NOW + timedelta(days=9), monotonic=lambda: 0.0, sleep=lambda seconds: None)
    connector = SandboxConnector("club", settings, world)
    connector.close()
    sandbox = Sandbox(tmp_path / "c.db", lambda: NOW)
    members = sandbox.rows("SELECT * FROM member")
    sandbox.close()
    assert len(members) == 60
    assert {row["language"] for row in members} == {"it"}
    assert NOW - timedelta(days=14) < moment(max(row["joined_at"] for row in members)) < NOW


# People act


def test_a_closed_topic_takes_no_replies_of_members(sandbox: Sandbox) -> None:
    admin, member = _admin(sandbox), sandbox.join("forum", "visitor")
    thread = sandbox.as_member(member).open("A question about frames", "Which size?", "2", ["bees"])
    sandbox.as_member(admin).close(thread)
    with pytest.raises(Filtered):
        sandbox.as_member(member).reply(thread, "One more thing.")
    with pytest.raises(Forbidden):
        sandbox.as_member(member).reopen(thread)
    sandbox.as_member(admin).reopen(thread)
    sandbox.as_member(member).reply(thread, "One more thing.")


def test_a_post_is_liked_once_by_each_and_never_by_its_author(sandbox: Sandbox) -> None:
    author, reader = sandbox.join("forum", "author"), sandbox.join("forum", "reader")
    thread = sandbox.as_member(author).open("A question about frames", "Which size?", "2")
    post = str(
        sandbox.rows("SELECT id FROM contribution WHERE side = 'forum' ORDER BY id DESC LIMIT 1")[0]["id"]
    )
    sandbox.as_member(reader).like(post)
    for member in (reader, author):
        with pytest.raises(Filtered):
            sandbox.as_member(member).like(post)
    assert sandbox.thread("forum", thread)["likes"] == 1


def test_a_suspended_member_is_silent(sandbox: Sandbox) -> None:
    member = sandbox.join("forum", "noisy")
    sandbox.as_member(_admin(sandbox)).suspend(member)
    with pytest.raises(Forbidden):
        sandbox.as_member(member).open("Buy this", "And that.", "2")


def test_the_author_accepts_an_answer(sandbox: Sandbox) -> None:
    asker, helper = sandbox.join("forum", "asker"), sandbox.join("forum", "helper")
    thread = sandbox.as_member(asker).open("A question about frames", "Which size?", "2")
    answer = sandbox.as_member(helper).reply(thread, "The smaller one.")
    with pytest.raises(Forbidden):
        sandbox.as_member(helper).accept(answer)
    sandbox.as_member(asker).accept(answer)
    assert str(sandbox.thread("forum", thread)["solved_by"]) == answer


def test_two_people_who_edit_one_page_do_not_overwrite_each_other(sandbox: Sandbox) -> None:
    first, second = (sandbox.as_member(sandbox.join("wiki", name), "wiki") for name in ("First", "Second"))
    base = first.save("Frames", "The frames.")
    first.save("Frames", "The frames are small.", base=base)
    with pytest.raises(Conflict):
        second.save("Frames", "The frames are large.", base=base)


def test_a_moved_page_keeps_its_id_and_leaves_a_redirect(sandbox: Sandbox) -> None:
    member = sandbox.as_member(sandbox.join("wiki", "Mover"), "wiki")
    page = str(sandbox.contribution("wiki", str(member.save("Frames", "The frames.")))["thread"])
    member.move(page, "small frames")
    assert sandbox.thread("wiki", page)["title"] == "Small frames"
    member.move(page, "Frames")
    assert sandbox.thread("wiki", page)["title"] == "Frames"


def test_what_fails_halfway_leaves_no_trace(sandbox: Sandbox) -> None:
    last = sandbox.last_change()
    with pytest.raises(RuntimeError), sandbox.writing():
        sandbox.join("forum", "halfway")
        raise RuntimeError
    assert sandbox.member_named("forum", "halfway") is None
    assert sandbox.last_change() == last


# Taken elsewhere


def test_the_discourse_stand_in_loads_the_exported_forum(default: Sandbox, tmp_path: Path) -> None:
    export(default, tmp_path)
    forum = load_forum(tmp_path, shift_to=NOW)
    alike = load(Community(users(default), topics(default), posts(default), categories(default)))
    counts = {
        side: n for side, n in default.db.execute("SELECT side, count(*) FROM contribution GROUP BY side")
    }
    assert len(forum.posts) == len(alike.posts) == counts["forum"]
    assert "Beekeeping" in {category.name for category in alike.categories.values()}
    solved = [topic for topic in alike.topics.values() if topic.solved_by]
    assert len(solved) == len(default.rows("SELECT 1 FROM thread WHERE solved_by > 0"))
    ours = alike.user("ordito")
    assert ours is not None and ours.admin


def _admin(sandbox: Sandbox) -> str:
    return str(
        sandbox.rows("SELECT id FROM member WHERE side = 'forum' AND admin AND username != 'ordito'")[0]["id"]
    )


@pytest.mark.parametrize(
    ("language", "wrong"),
    [("en", r"\b(a [aeiou]|an [^aeiou])"), ("it", r"\b(l'[^aeiouh ]|(una|della|nella) [aeiou])")],
)
def test_articles_go_with_the_words_that_follow(language: str, wrong: str) -> None:
    for talk in (area.talk[language] for area in AREAS):
        texts = [*(text for pair in talk.questions for text in pair), *talk.answers, *talk.articles]
        for template in [*texts, *talk.paragraphs]:
            for name, word in ((name, word) for name, words in talk.slots.items() for word in words):
                around = template.replace(f"{{{name}}}", word)
                if around != template:
                    assert not re.search(wrong, re.sub(r"\{\w+\}", "", around), re.IGNORECASE), around
