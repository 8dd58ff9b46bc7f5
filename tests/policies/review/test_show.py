"""What a reviewer sees of a proposal."""

from rich.cells import cell_len

from ordito.connectors.actions import Reply, SendMessage
from ordito.connectors.records import Contribution, Kind, Ref
from ordito.policies.review.queue import Card, card
from ordito.policies.review.show import layout, render, visible
from ordito.sync.context import App
from ordito.sync.outbox import Because, claim
from ordito.sync.output import clean
from ordito.sync.store import rows
from ordito.sync.store.tables import attempts, contributions, doings, texts
from tests.policies.review.community import (
    ANNA,
    CLOSE,
    NOW,
    PAGE_EDIT,
    TAG,
    WARNING,
    WELCOME,
    Clock,
    draft,
    look,
    offer,
)

WELCOME_CARD = """\
── 1 of 3 ───────────────────────────────────────────────────────── greet · 1 ──
Send anna a private message (with luca)
on forum; proposed 2 hours ago; lapses in 7 days; the text can be withdrawn;
notifications and mails will have gone out

User  anna  (Anna Rossi, joined 2026-02-26)
  {anna}

What was said last  anna, in “How do I set up the loom?”, 2 days ago
  │ Hello! I am new here.
  │
  │ How do I set up the loom?
  {post}

Why
  joined       3 days ago (2026-02-26)  (asked for: < 14 days)
  trust level  0  (asked for: 0..1)

The text, exactly as it would be posted
  To:      anna, luca
  Subject: Welcome, anna
  │ Hello anna!
  │
  │ Good to have you here."""


def seen(app: App, proposal: int) -> Card:
    with app.store.read() as conn:
        return card(conn, look(app, proposal), app.platforms(), app.now())


def test_a_proposal_fits_80_columns_without_colour(app: App, clock: Clock) -> None:
    because = [
        Because("joined", "< 14 days", "3 days ago (2026-02-26)"),
        Because("trust_level", "0..1", "0"),
    ]
    [id_] = offer(app, draft(WELCOME, because=because))
    clock.pass_(hours=2)
    forum = app.platform("forum")
    anna, post = forum.profile(ANNA, "anna"), forum.url(Ref("forum", Kind.CONTRIBUTION, "100"))
    assert render(seen(app, id_), 80, heading="1 of 3") == WELCOME_CARD.format(anna=anna, post=post)


def test_on_a_wiki_the_page_is_not_shown_as_words_of_who_edited_it_last(app: App) -> None:
    edit = Contribution(site="wiki", id="300", thread="20", author="3", created_at=NOW, text="One\nTwo\n")
    with app.store.write() as conn:
        rows.upsert(conn, contributions, rows.contribution_rows("wiki", [edit], ""))
        rows.upsert(conn, texts, [("wiki", "300", edit.text)])
    [id_] = offer(app, draft(PAGE_EDIT))
    shown = render(seen(app, id_), 80)
    assert "The page as last edited  Zoe" in shown
    assert "What was said last" not in shown


def test_what_was_asked_of_the_same_fact_stands_together(app: App) -> None:
    because = [
        Because("joined", "< 14 days", "3 days ago"),
        Because("posts", ">= 1", "3"),
        Because("joined", "at least 6 hours", "3 days ago"),
        Because("joined", "> 2 days", "another value"),
    ]
    [id_] = offer(app, draft(WELCOME, because=because))
    why = render(seen(app, id_)).partition("\nWhy\n")[2].partition("\n\n")[0]
    assert why.splitlines() == [
        "  joined  3 days ago  (asked for: < 14 days; at least 6 hours)",
        "  posts   3  (asked for: >= 1)",
        "  joined  another value  (asked for: > 2 days)",
    ]


def test_every_line_fits_the_window_whatever_the_texts_are(app: App) -> None:
    text = "long words " * 30 + "x" * 300 + " 漢字かな交じり文" * 40 + "\n\tindented\n"
    [id_] = offer(app, draft(Reply(site="forum", thread="10", text=text, subject="s" * 200)))
    for width in (40, 80, 100):
        assert max(cell_len(line.plain) for line in layout(seen(app, id_), width)) <= width


def test_control_characters_are_shown_and_never_obeyed(app: App) -> None:
    text = "red \x1b[31m\x1b]0;title\x07, back \rover, \u202etxet\u2066, del \x7f, \x9b2J\n"
    because = [Because("title", "\x1b[2J", "\x1b[1A")]
    action = SendMessage(site="forum", to=("1",), subject="\x1b[8m", text=text)
    [id_] = offer(app, draft(action, because=because))
    shown = render(seen(app, id_))
    assert clean(shown) == shown
    assert "red ⟨U+001B⟩[31m" in shown
    assert "⟨U+202E⟩txet⟨U+2066⟩" in shown
    assert "\u202e" not in shown


def test_what_people_write_is_not_taken_for_markup(app: App) -> None:
    [id_] = offer(app, draft(Reply(site="forum", thread="10", text="[bold]no[/bold] :smile: [/]\n")))
    assert "│ [bold]no[/bold] :smile: [/]" in render(seen(app, id_))


def test_an_edit_of_a_page_shows_what_changes(app: App) -> None:
    [id_] = offer(app, draft(PAGE_EDIT))
    shown = render(seen(app, id_))
    assert "What changes in the text\n  Summary: Tidied\n" in shown
    assert "    Two\n  - Three\n  + Four" in shown


def test_a_claim_of_somebody_else_is_told(app: App) -> None:
    [id_] = offer(app, draft(TAG))
    with app.store.write() as conn:
        claim(conn, id_, "luca", app.now())
    assert "! claimed by luca until 12:15 UTC" in render(seen(app, id_))


def test_a_claim_that_ended_is_not_told(app: App, clock: Clock) -> None:
    [id_] = offer(app, draft(TAG))
    with app.store.write() as conn:
        claim(conn, id_, "luca", app.now())
    clock.pass_(minutes=15)
    assert "claimed" not in render(seen(app, id_))


def test_other_proposals_about_the_same_item_are_named(app: App) -> None:
    warning, close = offer(app, draft(WARNING), draft(CLOSE, policy="tidy"))
    assert f"Also waiting: Close the topic “Which yarn?” ({close})" in render(seen(app, warning))


def test_steps_that_are_approved_with_it_are_named(app: App) -> None:
    [warning] = offer(app, draft(WARNING, policy="tidy"))
    offer(app, draft(CLOSE, policy="tidy", after=warning))
    shown = render(seen(app, warning))
    assert "+ Approved with it: Close the topic “Which yarn?”" in shown
    assert "Also waiting" not in shown


def test_our_own_posts_are_not_what_is_answered(app: App) -> None:
    [id_] = offer(app, draft(WELCOME))
    with app.store.write() as conn:
        attempt = conn.execute(
            attempts.insert().values(proposal=id_, doing="perform", by="x", token="t", started_at=0)
        ).inserted_primary_key
        assert attempt is not None
        conn.execute(doings.insert().values(site="forum", kind="contribution", id="100", attempt=attempt[0]))
    assert seen(app, id_).answers is None


def test_what_is_not_in_the_mirror_is_named_by_its_id(app: App) -> None:
    action = SendMessage(site="forum", to=("77",), subject="Hello", text="Hello\n")
    [id_] = offer(app, draft(action))
    shown = render(seen(app, id_))
    assert "Send member 77 a private message" in shown
    assert "User  member 77  (not in the mirror)" in shown


def test_the_newest_of_a_member_is_what_is_answered(app: App) -> None:
    [id_] = offer(app, draft(WELCOME))
    answers = seen(app, id_).answers
    assert answers is not None
    assert (answers.author, answers.text) == ("anna", "Hello! I am new here.\n\nHow do I set up the loom?")


def test_visible_keeps_line_ends_and_tabs() -> None:
    assert visible("a\r\nb\tc\rd") == "a\nb\tc⟨U+000D⟩d"
