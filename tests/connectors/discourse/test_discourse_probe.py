"""Who we are, what we may do, what a first sync costs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta

import pytest

from ordito.config.model import Exclude
from ordito.config.secret import Secret
from ordito.connectors.actions import AddToGroup, CloseThread, Reply
from ordito.connectors.base import Finding
from ordito.connectors.discourse.query import QUERY
from tests.connectors.discourse.scenes import topics
from tests.connectors.discourse.site import DiscourseSite, account, connect, mirrored
from tests.servers.discourse import DiscourseServer
from tests.servers.discourse.explorer import StoredQuery

TEXT = "Has anybody tried this with the smaller frames, and did it hold?"


@pytest.fixture(params=["2021", "2023", "2026"])
def server(request: pytest.FixtureRequest) -> Iterator[DiscourseServer]:
    with DiscourseServer(dialect=request.param) as server:
        DiscourseSite(server)
        yield server


def warned(findings: tuple[Finding, ...]) -> list[str]:
    return [finding.message for finding in findings if finding.level != "ok"]


def test_an_administrator_with_a_key_of_its_own_has_nothing_to_be_warned_of(server: DiscourseServer) -> None:
    health = connect(server).probe()
    assert warned(health.findings) == []
    assert health.account == "ordito"
    assert health.account_id == str(account(server).id)
    assert health.can == connect(server).verbs
    assert health.version == server.forum.dialect.version
    assert health.language == "en"
    assert health.groups is not None and "experts" in health.groups
    assert health.badges is not None and "Expert" in health.badges


def test_a_moderator_may_do_all_but_change_groups(server: DiscourseServer) -> None:
    us = account(server)
    us.admin, us.moderator = False, True
    health = connect(server).probe()
    assert CloseThread in health.can
    assert AddToGroup not in health.can
    assert not health.sees_all  # private categories are administrators' and their members'


def test_an_ordinary_account_is_told_what_it_lacks(server: DiscourseServer) -> None:
    us = account(server)
    us.admin, us.trust_level = False, 1
    health = connect(server).probe()
    assert any("not staff" in message for message in warned(health.findings))
    assert Reply in health.can and CloseThread not in health.can


def test_a_key_for_all_users_is_warned_of(server: DiscourseServer) -> None:
    health = connect(server, api_key=Secret.of(server.api_key)).probe()
    assert any("any user" in message for message in warned(health.findings))


@pytest.mark.parametrize("by", ["the account", "the forum", "ignoring somebody"])
def test_what_is_muted_is_warned_of(server: DiscourseServer, by: str) -> None:
    if by == "the forum":
        server.forum.settings.mute_all_categories_by_default = True
    elif by == "ignoring somebody":
        account(server).ignored_users = {server.forum.new_user("loud").id}
    else:
        account(server).muted_category_ids = {1}
    assert any("muted" in message for message in warned(connect(server).probe().findings))


def test_a_key_that_may_not_read_posts_is_an_error(server: DiscourseServer) -> None:
    server.faults.answer("^/posts", body='{"errors":["no"],"error_type":"invalid_access"}', status=403,
                         headers={"Content-Type": "application/json; charset=utf-8"},
                         times=9)  # fmt: skip
    levels = {finding.level for finding in connect(server).probe().findings}
    assert "error" in levels


def test_the_estimate_is_close_to_what_a_first_sync_takes(server: DiscourseServer) -> None:
    anna = server.as_user(server.forum.new_user("anna", trust_level=2))
    for n in range(80):
        server.clock.advance(60)
        topic = anna.topic(f"A topic with the number {n} of many", TEXT)
        for m in range(12):
            anna.reply(topic, f"{TEXT} Answer {n}/{m}.")
    before = len(server.requests)
    estimate = connect(server).probe().requests
    mirrored(connect(server))
    assert abs(estimate - (len(server.requests) - before)) <= 2
    server.clock.advance(timedelta(days=60))
    for n in range(3):
        anna.topic(f"A newer topic with the number {n}", TEXT)
    since = (server.clock() - timedelta(days=30)).date()
    before = len(server.requests)
    of_month = connect(server).probe().requests_of_month
    mirrored(connect(server, since=since))
    assert of_month == pytest.approx(len(server.requests) - before, rel=0.2)
    assert of_month is not None and of_month < estimate / 1.5


@pytest.mark.parametrize("dialect", ["2021", "2026"])
@pytest.mark.parametrize(("count", "replies"), [(5, 2), (70, 1)])
def test_the_estimate_for_a_small_forum_is_right(dialect: str, count: int, replies: int) -> None:
    """With a group of its own."""
    with DiscourseServer(dialect=dialect) as server:
        topics(server, count, replies=replies)
        forum, us = server.forum, account(server)
        forum.new_group("readers").members[us.id] = server.clock()
        before = len(server.requests)
        connector = connect(server)
        estimate = connector.probe().requests
        mirrored(connector)
        assert abs(estimate - (len(server.requests) - before)) <= 1


def test_the_query_for_data_explorer_is_looked_at_and_shown_where_it_is_missing(
    server: DiscourseServer,
) -> None:
    forum = server.forum

    def said() -> list[tuple[str, str, bool]]:
        found = connect(server, data_explorer=7).probe().findings
        return [(f.level, f.message, QUERY in f.hint) for f in found if "Data Explorer" in f.message]

    assert said() == [("error", "query 7 of Data Explorer is not there, or not for this account.", True)]
    forum.settings.data_explorer_enabled = True
    forum.queries[7] = StoredQuery(7, "SELECT 1")
    assert said() == [("error", "query 7 of Data Explorer is another one.", True)]
    forum.queries[7] = StoredQuery(7, QUERY.replace("\n", "\r\n"))
    assert said() == [("ok", "Data Explorer tells what was changed at the next sync.", False)]
    forum.settings.data_explorer_times_out = True
    ((level, message, _),) = said()
    assert level == "warning" and "statement timeout" in message


def test_the_log_of_the_webhook_is_looked_at(server: DiscourseServer) -> None:
    def said() -> list[tuple[str, str]]:
        found = connect(server, webhook=1).probe().findings
        return [(f.level, f.message) for f in found if "webhook" in f.message]

    assert said() == [("error", "the delivery log of webhook 1 cannot be read.")]
    server.forum.hooks.add(wildcard=True)
    assert said() == [("warning", "the log of webhook 1 is empty.")]
    topics(server, 1)
    assert said() == [("ok", "the log of webhook 1 tells what was changed at the next sync.")]
    us = account(server)
    us.admin, us.moderator = False, True
    assert said() == [("error", "the delivery log of webhook 1 cannot be read.")]


def test_an_excluded_user_whose_name_many_others_contain_is_not_said_to_be_missing(
    server: DiscourseServer,
) -> None:
    server.forum.new_user("ann", trust_level=1)
    exclude = Exclude(members=["ann"])
    for number in range(120):
        server.clock.advance(1)
        server.forum.new_user(f"ann{number}", trust_level=1)
    assert not warned(connect(server, exclude=exclude).probe().findings)


def test_the_estimate_says_that_private_messages_come_on_top(server: DiscourseServer) -> None:
    assert not connect(server).probe().uncounted
    assert connect(server, messages=True).probe().uncounted.startswith("Private messages come on top")


def test_an_excluded_category_that_is_not_there_is_warned_of(server: DiscourseServer) -> None:
    parent = server.forum.new_category("Backstage")
    server.forum.new_category("Talk", parent_id=parent.id)
    for spaces, missing in (
        (["BACKSTAGE", "Backstage/talk", str(parent.id)], []),
        (["Backstage", "Smoking room"], ["Smoking room"]),
    ):
        found = warned(connect(server, exclude=Exclude(spaces=spaces)).probe().findings)
        assert found == [
            f"there is no category '{name}' to exclude, as far as the account sees." for name in missing
        ]


@pytest.mark.parametrize("dialect", ["2021", "2026"])
def test_an_excluded_tag_or_user_that_is_not_there_is_warned_of(dialect: str) -> None:
    with DiscourseServer(dialect=dialect) as server:
        forum = server.forum
        forum.tag("private")
        forum.tag("secret").synonym_of = "private"
        forum.new_user("Nosy", trust_level=1)
        exclude = Exclude(labels=["PRIVATE", "secret", "privat"], members=["nosy", "@nosy", "a/b"])
        assert warned(connect(server, exclude=exclude).probe().findings) == [
            "the tag 'secret' is a synonym: topics carry 'private' instead.",
            "there is no tag 'privat' to exclude, as far as the account sees.",
            "there is no user '@nosy' to exclude, as far as the account sees.",
            "there is no user 'a/b' to exclude, as far as the account sees.",
        ]
        rows = [{"id": "garden", "text": "garden", "count": 1, "target_tag": None}]
        apart = {"tags": [], "extras": {"tag_groups": [{"id": 1, "name": "Places", "tags": rows}]}}
        headers = {"Content-Type": "application/json"}
        server.faults.answer("/tags", body=json.dumps(apart), status=200, headers=headers)
        assert not warned(connect(server, exclude=Exclude(labels=["garden"])).probe().findings)
        forum.settings.tagging_enabled = False
        assert len(warned(connect(server, exclude=Exclude(labels=["garden"])).probe().findings)) == 1


def test_a_moderator_may_have_the_query_shared_with_a_group(server: DiscourseServer) -> None:
    forum, us = server.forum, account(server)
    us.admin, us.moderator = False, True
    forum.settings.data_explorer_enabled = True
    forum.queries[7] = StoredQuery(7, QUERY, groups={"readers"})
    forum.new_group("readers").members[us.id] = server.clock()
    levels = [
        f.level
        for address in ("readers/7", 7)
        for f in connect(server, data_explorer=address).probe().findings
        if "Data Explorer" in f.message
    ]
    assert levels == ["ok", "error"]


def test_the_estimate_counts_the_rows_of_the_query_instead_of_pages_of_posts(server: DiscourseServer) -> None:
    server.forum.settings.data_explorer_enabled = True
    server.forum.queries[7] = StoredQuery(7, QUERY)
    topics(server, 40, replies=12)
    lists = connect(server).probe().requests
    before = len(server.requests)
    by_query = connect(server, data_explorer=7).probe().requests
    assert by_query < lists - 5  # though the query itself was looked at
    mirrored(connect(server, data_explorer=7))
    assert abs(len(server.requests) - before - by_query) <= 2
