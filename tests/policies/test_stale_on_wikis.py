"""Stale pages and old sections of talk pages, on a wiki."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from sqlalchemy import update

from ordito.config.errors import SettingsError, Unreachable
from ordito.connectors.actions import ArchiveThread, Reply, SendMessage, SetLabels
from ordito.connectors.base import Standing
from ordito.connectors.records import Kind, Ref
from ordito.policies.check import Checker
from ordito.policies.engine import Plan
from ordito.policies.messages import Messages
from ordito.policies.why import explain
from ordito.sync.outbox import Decision
from ordito.sync.store import tables
from tests.policies.town import Town

MARK = """\
  tidy:
    use: stale
    on: [wiki]
    when: {quiet: "> 1 year"}
    then: [archive, label]
    template: "{{Out of date}}"
    label: Old pages
    linked: 2
    tell: {authors: 2}
"""
TALK = """\
  tidy:
    use: stale
    on: [wiki]
    when: {quiet: "> 90 days"}
    then: [archive]
    archive: "{talkpage}/Archive {year}"
"""
OLD = "== Poles ==\nThey are long. [[User:user2|user2]] 10:00, 1 March 2025 (UTC)"
OLDER = "== Pegs ==\nOf steel. [[User:user3]] 10:00, 2 May 2024 (UTC)"
ASKED = "== Ropes? ==\nOf what? [[User:user2]] 10:00, 3 March 2025 (UTC)"
NEW = "== Bags ==\nNew. [[User:user2]] 10:00, 3 March 2026 (UTC)"
KEPT = "== Rules ==\n{{Do not archive}} Be kind. [[User:user2]] 10:00, 3 March 2025 (UTC)"
NEVER_SIGNED = "== Notes ==\nWords by nobody."


def held(plan: Plan, item: object) -> list[str]:
    return [each.by for each in plan.held if each.item == str(item)]


@pytest.fixture
def wiki(town: Town) -> Town:
    """Two people, and pages enough that a share of them is some."""
    town.space("1", "Talk", site="wiki")
    town.space("2", "User", site="wiki")
    for id in ("2", "3"):
        town.member(id, site="wiki")
    for number in range(50, 70):
        page(town, str(number), "2", 1)
    return town


def page(town: Town, id: str, author: str, days: float, text: str = "Tents.", space: str = "0") -> Ref:
    return town.topic(id, author, (author, days, text), site="wiki", kind="page", space=space)


def talk(town: Town, id: str, *sections: str, days: float = 1, **fields: Any) -> Ref:
    """A talk page begun long ago, whose current text is of `days` ago."""
    posts: list[tuple[str | None, float, str]] = [("2", 900, ""), ("3", days, "\n\n".join(sections))]
    where: dict[str, Any] = {"space": "1", "title": f"Talk:Page {id}", **fields}
    return town.topic(id, "2", *posts, site="wiki", kind="talk", **where)


def stand(town: Town, links: Mapping[str, int], protected: Sequence[str] = ()) -> list[list[str]]:
    """What the wiki answers when it is asked how pages stand; the questions are kept."""
    asked: list[list[str]] = []

    def standing(site: str, pages: Sequence[str], most: int) -> dict[str, Standing]:
        asked.append(list(pages))
        return {each: Standing(min(links.get(each, 0), most), each not in protected) for each in pages}

    town.engine.standing = standing
    return asked


# --- pages ----------------------------------------------------------------------------------------------


def test_a_page_long_untouched_gets_template_and_category_with_one_edit(wiki: Town) -> None:
    wiki.settle(MARK)
    old = page(wiki, "10", "2", 400)
    stand(wiki, {"10": 2})
    assert wiki.run() == [
        ArchiveThread(site="wiki", thread="10", template="{{Out of date}}", labels=("Old pages",))
    ]
    assert held(wiki.plan(), old) == []


def test_a_category_alone_is_enough(wiki: Town) -> None:
    wiki.settle("""\
  tidy: {use: stale, on: [wiki], then: [label], label: Old pages}
""")
    page(wiki, "10", "2", 400)
    assert wiki.run() == [SetLabels(site="wiki", thread="10", add=("Old pages",))]


def test_pages_that_carry_the_template_already_are_left_alone(wiki: Town) -> None:
    wiki.settle(MARK.replace(", label]", "]"))
    page(wiki, "10", "2", 400, "{{out of date|2020}} Tents.")
    page(wiki, "11", "2", 400, "This is out of date.")
    stand(wiki, {"10": 9, "11": 9})
    assert [each.item.id for each in wiki.proposed()] == ["11"]


def test_pages_that_few_link_to_are_reported_and_leave_room_for_others(wiki: Town) -> None:
    wiki.settle(MARK, constitution="""\
constitution:
  limits: {per_run: 100, per_policy: 1, share: 100%}
""")
    orphan, linked = page(wiki, "10", "2", 900), page(wiki, "11", "2", 400)
    asked = stand(wiki, {"10": 1, "11": 2})
    plan = wiki.plan()
    assert [each.item for each in plan.proposals] == [linked]
    assert held(plan, orphan) == ["links"]
    assert asked == [["10", "11"]]  # both in one request


def test_where_many_pages_are_orphans_more_of_them_are_asked_about_at_once(wiki: Town) -> None:
    wiki.settle(MARK)
    with wiki.at_once():
        for number in range(1000, 1120):
            page(wiki, str(number), "2", 2000 - number)
    asked = stand(wiki, {"1119": 2})
    assert [each.item.id for each in wiki.proposed()] == ["1119"]
    assert [len(each) for each in asked] == [50, 70]


def test_protected_pages_are_reported_and_a_silent_wiki_is_an_error(wiki: Town) -> None:
    wiki.settle(MARK)
    old = page(wiki, "10", "2", 400)
    stand(wiki, {"10": 2}, protected=["10"])
    assert held(wiki.plan(), old) == ["protected"]

    def silent(site: str, pages: Sequence[str], links: int) -> dict[str, Standing]:
        raise Unreachable("no answer.")

    wiki.engine.standing = silent
    plan = wiki.plan()
    assert held(plan, old) == ["unreachable"]
    assert [error.site for error in plan.errors] == ["wiki"]


def test_why_says_of_links_and_protection_what_a_plan_would(wiki: Town) -> None:
    wiki.settle(MARK)
    orphan, kept, fit = (page(wiki, id, "2", 400) for id in ("10", "11", "12"))
    asked = stand(wiki, {"10": 1, "11": 2, "12": 2}, protected=["11"])
    assert wiki.why("tidy", orphan).held_by == ("archive: linked from 1 page only; the policy asks for 2",)
    assert wiki.why("tidy", kept).held_by == ("archive: the page is protected; our account may not edit it",)
    assert wiki.why("tidy", fit).held_by == ()
    assert asked == [["10"], ["11"], ["12"]]


def test_of_a_title_that_no_page_has_nothing_is_explained(wiki: Town) -> None:
    wiki.settle(MARK)
    with wiki.store.read(scratch=True) as conn:
        nowhere = Ref.parse("wiki:title:Nowhere")
        assert explain(wiki.engine, conn, wiki.engine.policies["tidy"], nowhere, wiki.now) is None


def test_a_page_that_lost_its_links_after_the_approval_is_not_marked(wiki: Town) -> None:
    wiki.settle(MARK)
    page(wiki, "10", "2", 400)
    stand(wiki, {"10": 2})
    (proposal,) = wiki.proposed()
    wiki.approve(proposal)
    stand(wiki, {"10": 1})
    report = wiki.apply()
    assert [number for number, _ in report.superseded] == [proposal.id]
    assert not wiki.performed


def test_pages_of_users_are_theirs(wiki: Town) -> None:
    wiki.settle(MARK)
    page(wiki, "10", "2", 400, space="2")
    stand(wiki, {"10": 9})
    assert not wiki.proposed()


def test_a_warning_on_the_talk_page_comes_first_where_the_policy_says_so(wiki: Town) -> None:
    wiki.settle(MARK.replace("    linked: 2\n", "    linked: 2\n    warn: {grace: 14 days}\n"))
    page(wiki, "10", "2", 400)
    stand(wiki, {"10": 2})
    (warning,) = wiki.run()
    assert isinstance(warning, Reply) and "it will be marked" in warning.text
    wiki.later(days=15)
    (mark,) = wiki.proposed()
    assert (mark.step, mark.state) == ("archive", "approved")


# --- telling the authors --------------------------------------------------------------------------------


def test_the_last_authors_are_told_once_about_all_their_marked_pages(wiki: Town) -> None:
    wiki.settle(MARK)
    wiki.member("4", site="wiki")
    for id in ("10", "11"):
        page(wiki, id, "4", 800)
        wiki.post(id, "2", 600, site="wiki")
        wiki.post(id, "3", 500, site="wiki")
    stand(wiki, {"10": 2, "11": 2})
    assert len(wiki.run()) == 2
    told = wiki.run()
    assert [each.to for each in told if isinstance(each, SendMessage)] == [("2",), ("3",)]
    assert "curid=10" in told[0].text and "curid=11" in told[0].text  # type: ignore[union-attr]
    wiki.later(days=1)
    assert not wiki.proposed()


def test_nobody_is_told_of_a_page_that_was_edited_after_the_mark(wiki: Town) -> None:
    wiki.settle(MARK)
    page(wiki, "10", "2", 400)
    stand(wiki, {"10": 2})
    wiki.run()
    wiki.post("10", "3", site="wiki")
    assert not wiki.proposed()


def test_an_author_is_not_told_again_within_the_time_set(wiki: Town) -> None:
    wiki.settle(MARK)
    page(wiki, "10", "2", 400)
    stand(wiki, {"10": 2, "11": 2})
    wiki.run()
    wiki.run()
    page(wiki, "11", "2", 380)
    wiki.later(days=30)
    wiki.run()
    assert held(wiki.plan(), Ref("wiki", Kind.MEMBER, "2")) == ["grace"]
    wiki.later(days=70)
    (again,) = wiki.run()
    assert isinstance(again, SendMessage) and "curid=11" in again.text and "curid=10" not in again.text


# --- talk pages -----------------------------------------------------------------------------------------


def test_old_sections_go_to_the_archives_of_their_years(wiki: Town) -> None:
    wiki.settle(TALK)
    talk(wiki, "10", "Lead.", OLDER, NEW, OLD, KEPT)
    done = wiki.run()
    assert done == [
        ArchiveThread(site="wiki", thread="10", sections=(OLDER,), to="Talk:Page 10/Archive 2024"),
        ArchiveThread(site="wiki", thread="10", sections=(OLD,), to="Talk:Page 10/Archive 2025"),
    ]
    why = wiki.all()[0].because[0]
    assert (why.fact, why.condition) == ("last signature", "> 90 days")


def test_a_question_that_waits_is_reported_and_stays(wiki: Town) -> None:
    wiki.settle(TALK)
    here = talk(wiki, "10", ASKED, OLD)
    plan = wiki.plan()
    assert [each.action for each in plan.proposals] == [
        ArchiveThread(site="wiki", thread="10", sections=(OLD,), to="Talk:Page 10/Archive 2025")
    ]
    assert held(plan, here) == ["unanswered"]
    answered = f"{ASKED}\n:Of hemp. [[User:user3]] 10:00, 4 March 2025 (UTC)"
    talk(wiki, "11", answered)
    assert [each.item.id for each in wiki.proposed()] == ["11"]
    again = f"{answered}\n::Really? [[User:user2]] 10:00, 5 March 2025 (UTC)"
    there = talk(wiki, "12", again)
    assert held(wiki.plan(), there) == ["unanswered"]


def test_sections_that_nobody_signed_stay_and_are_reported_once_the_page_is_old(wiki: Town) -> None:
    wiki.settle(TALK)
    young = talk(wiki, "10", NEVER_SIGNED, OLD)
    old = talk(wiki, "11", NEVER_SIGNED, OLD, days=200)
    plan = wiki.plan()
    assert (held(plan, young), held(plan, old)) == ([], ["unsigned"])
    assert all(NEVER_SIGNED not in each.action.sections for each in plan.proposals)  # type: ignore[union-attr]


def test_our_own_notices_do_not_keep_a_section_young(wiki: Town) -> None:
    wiki.settle(TALK)
    talk(wiki, "10", f"{OLD}\n:Still so? [[User:Ordito|Ordito]] 10:00, 30 March 2026 (UTC)")
    assert len(wiki.proposed()) == 1


def test_archives_talk_pages_of_users_and_pages_that_say_no_are_left_alone(wiki: Town) -> None:
    wiki.settle(TALK)
    talk(wiki, "10", OLD, title="Talk:Page 10/Archive 2025")
    talk(wiki, "11", OLD, title="Talk:Page 10/Archivio vecchio")
    talk(wiki, "12", OLD, title="User talk:user2", space="3")
    no = talk(wiki, "13", "{{nobots}}", OLD)
    plan = wiki.plan()
    assert not plan.proposals
    assert held(plan, no) == ["opt-out"]


def test_the_newest_sections_stay_where_a_page_shall_not_be_empty(wiki: Town) -> None:
    wiki.settle(TALK + "    keep: 1\n")
    talk(wiki, "10", OLD, OLDER)
    (only,) = wiki.proposed()
    assert only.action == ArchiveThread(
        site="wiki", thread="10", sections=(OLDER,), to="Talk:Page 10/Archive 2024"
    )


def test_what_grew_old_since_the_plan_waits_for_the_next_one(wiki: Town) -> None:
    wiki.settle(TALK.replace("90 days", "120 days"))
    last = "== Mats ==\nSoft. [[User:user3]] 10:00, 20 December 2025 (UTC)"
    talk(wiki, "10", OLD, last)
    (first,) = wiki.proposed()
    wiki.approve(first)
    wiki.later(days=30)
    assert not wiki.proposed()
    wiki.apply()
    assert wiki.performed == [first.action]
    wiki.post("10", "2", text=last, site="wiki")
    (second,) = wiki.proposed()
    assert second.action == ArchiveThread(
        site="wiki", thread="10", sections=(last,), to="Talk:Page 10/Archive 2025"
    )


def test_an_answer_after_the_approval_stops_it(wiki: Town) -> None:
    wiki.settle(TALK)
    talk(wiki, "10", OLD)
    (proposal,) = wiki.proposed()
    wiki.approve(proposal)
    wiki.post("10", "3", text=f"{OLD}\n:No. [[User:user3]] 10:00, 31 March 2026 (UTC)", site="wiki")
    report = wiki.apply()
    assert [number for number, _ in report.superseded] == [proposal.id]


def test_a_rejected_archiving_is_not_proposed_again(wiki: Town) -> None:
    wiki.settle(TALK)
    talk(wiki, "10", OLD)
    wiki.decide(Decision.REJECTED, *wiki.proposed())
    wiki.later(days=10)
    assert not wiki.proposed()


@pytest.mark.parametrize(("language", "found"), [("it", 1), ("pl", 0)])
def test_signatures_are_read_in_the_wikis_language_or_not_at_all(
    wiki: Town, language: str, found: int
) -> None:
    wiki.settle(TALK)
    with wiki.store.write() as conn:
        sites = tables.checkpoints
        conn.execute(update(sites).where(sites.c.site == "wiki").values(language=language))
    talk(wiki, "10", "== Pali ==\nSono lunghi. [[Utente:user2]] 10:00, 1 mar 2025 (CET)")
    plan = wiki.plan()
    assert len(plan.proposals) == found
    assert held(plan, "wiki") == ([] if found else ["language"])


# --- settings -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("policy", "fault"),
    [
        ("when: {quiet: '> 1 year'}, then: [archive], archive: 'Old talk'", "subpage of the talk page"),
        ("when: {age: '> 1 year'}, then: [archive], archive: '{talkpage}/A'", "needs 'quiet'"),
        ("then: [label], label: x, template: '{{Old}}'", "add 'archive' to 'then'"),
        ("then: [archive], archive: '{talkpage}/A', tell: {}", "name a 'template' or a 'label'"),
        ("then: [archive, archive]", "names 'archive' twice"),
    ],
)
def test_settings_that_do_not_fit_together_are_refused(town: Town, policy: str, fault: str) -> None:
    with pytest.raises(SettingsError) as caught:
        town.settle(f"  tidy: {{use: stale, on: [wiki], {policy}}}\n")
    assert fault in str(caught.value)


def test_check_names_what_a_policy_leaves_open_on_a_wiki(town: Town) -> None:
    town.settle("  tidy: {use: stale, on: [wiki], then: [archive]}\n")
    checker = Checker(town.settings, town.engine.policies, town.platforms, Messages(), town.now.date())
    assert any("how a page of wiki is archived" in row.message for row in checker.offline())
    town.settle("  tidy: {use: stale, on: [forum], then: [archive], template: '{{Old}}'}\n")
    checker = Checker(town.settings, town.engine.policies, town.platforms, Messages(), town.now.date())
    assert any("forum is a forum" in row.message for row in checker.offline())
