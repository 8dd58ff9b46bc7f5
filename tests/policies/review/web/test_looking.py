"""What the pages show."""

from dataclasses import replace

import pytest

from ordito.policies.review.web import rendering
from ordito.sync.context import App
from ordito.sync.outbox import Because, Decision, claim, review
from tests.policies.review.community import (
    CLOSE,
    PAGE_EDIT,
    TAG,
    WARNING,
    WELCOME,
    Clock,
    draft,
    offer,
)
from tests.policies.review.web.conftest import Browser


def test_an_empty_queue_says_so(browser: Browser) -> None:
    browser.get("/")
    assert "Nothing waits for a decision." in browser.text


def test_the_list_counts_and_has_filters(app: App, browser: Browser) -> None:
    offer(app, draft(WELCOME), draft(CLOSE, policy="tidy"), draft(TAG), draft(PAGE_EDIT))
    browser.get("/")
    assert "4 waiting for a decision" in browser.text
    assert "Send anna a private message (with luca)" in browser.text
    assert "greet (3)" in browser.text and "wiki (1)" in browser.text and "close thread (1)" in browser.text

    def found(query: str) -> list[str]:
        browser.get(f"/?{query}")
        named = {"Send anna": "welcome", "Close the": "close", "Add the tag": "tag", "Edit the page": "edit"}
        return [word for words, word in named.items() if words in browser.text]

    assert found("policy=tidy") == ["close"]
    assert found("site=wiki") == ["edit"]
    assert found("verb=set_labels") == ["tag"]
    assert found("words=YARN") == ["close"]
    assert found("words=anna") == found("words=rossi") == ["welcome"]
    assert found("words=%25") == [] and found("words=looms") == ["edit"]
    assert found("state=rejected") == []
    assert found("state=all&policy=greet&site=forum") == ["welcome", "tag"]


def test_what_is_typed_into_an_address_breaks_nothing(app: App, browser: Browser) -> None:
    offer(app, draft(WELCOME))
    for query in ("page=-1", "page=x", "page=²", "page=999999999999999999999", "state=nonsense", "words=%00",
                  "policy=%27%22%3E", "told=x", "told=99999999999999999999999", "told=7"):  # fmt: skip
        assert browser.get(f"/?{query}").status_code == 200, query


def test_a_long_list_comes_in_pages(app: App, browser: Browser) -> None:
    offer(app, *(draft(TAG, occasion=str(number)) for number in range(60)))
    first = browser.get("/").text
    assert first.count('class="row"') == 25 and "Page 1 of 3" in first and "More →" in first
    last = browser.get("/?page=3").text
    assert last.count('class="row"') == 10 and "More →" not in last


def test_one_proposal_shows_the_text_beside_what_it_answers_and_why(app: App, browser: Browser) -> None:
    [id_] = offer(app, draft(WELCOME, because=[Because("first_contribution", "< 14 days", "2 days ago")]))
    browser.get(f"/proposals/{id_}")
    for words in ("Anna Rossi", "How do I set up the loom?", "Good to have you here.", "Welcome, anna",
                  "first contribution", "2 days ago", "asked for: &lt; 14 days", "anna, luca",
                  "notifications and mails will have gone out"):  # fmt: skip
        assert words in browser.text, words


def test_an_edit_shows_what_changes(app: App, browser: Browser) -> None:
    [id_] = offer(app, draft(PAGE_EDIT))
    browser.get(f"/proposals/{id_}")
    assert "<del>Three</del>" in browser.text and "<ins>Four</ins>" in browser.text
    assert "Tidied" in browser.text


def test_the_text_of_a_forum_is_rendered_and_its_source_a_fold_away(app: App, browser: Browser) -> None:
    [id_] = offer(app, draft(replace(WELCOME, text="Hello **anna**,\nsee [here](https://example.org/x).")))
    browser.get(f"/proposals/{id_}")
    assert "Hello <strong>anna</strong>,<br" in browser.text
    assert '<a href="https://example.org/x" rel="noopener noreferrer nofollow">here</a>' in browser.text
    assert "Hello **anna**," in browser.text


HOSTILE = (
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "[a](javascript:alert(1))",
    "![a](https://evil.example/track.png)",
    "[a](data:text/html;base64,PHNjcmlwdD4=)",
    "[a]( https://x.example/\"onmouseover=alert(1) )",
    "<!-- --><b onclick=x>",
    "{{ 7*7191823 }}",
    "</textarea><script>alert(1)</script>",
    '"><svg onload=alert(1)>',
)


@pytest.mark.parametrize("text", HOSTILE)
def test_nothing_in_a_text_takes_effect(app: App, browser: Browser, text: str) -> None:
    action = replace(WELCOME, text=text, subject=text)
    [id_] = offer(app, draft(action, because=[Because(text, text, text)]))
    with app.store.write() as conn:
        claim(conn, id_, text[:70], app.now())
    for path in (f"/proposals/{id_}", f"/proposals/{id_}/edit", f"/together?id={id_}", "/"):
        html = browser.get(path).text
        body = html.partition("<body>")[2]
        assert "<script" not in body and "<svg" not in body and "<img" not in body and "50342761" not in body
        assert "<b onclick" not in body and 'href="javascript' not in body and 'href="data' not in body
        assert ' onmouseover=' not in body and 'src="https://evil' not in body


def test_pictures_are_named_instead_of_fetched() -> None:
    html = rendering.markdown("![a cat](https://elsewhere.example/cat.png)")
    assert html == "<p>[picture: a cat]</p>\n"


def test_characters_that_turn_the_direction_of_writing_are_shown(app: App, browser: Browser) -> None:
    [id_] = offer(app, draft(replace(WELCOME, text="safe \u202egnp.exe", subject="a\u2066b")))
    browser.get(f"/proposals/{id_}")
    assert browser.text.count("safe ⟨U+202E⟩gnp.exe") == 2, "rendered, and as it would be sent"
    assert "a⟨U+2066⟩b" in browser.text and "\u202e" not in browser.text
    browser.get(f"/proposals/{id_}/edit")
    assert "safe \u202egnp.exe" in browser.text, "what comes back from a form must be what was there"


def test_a_claim_of_somebody_else_takes_the_buttons_away(app: App, browser: Browser) -> None:
    [id_] = offer(app, draft(WELCOME))
    with app.store.write() as conn:
        claim(conn, id_, "luca", app.now())
    browser.get(f"/proposals/{id_}")
    assert "luca</bdi> is looking at it until 12:15 UTC" in browser.text
    assert "Approve" not in browser.text
    assert "with luca" in browser.get("/").text


def test_policies_show_their_mode_their_acceptance_and_the_constitution(app: App, browser: Browser) -> None:
    ids = offer(app, *(draft(TAG, occasion=str(number)) for number in range(4)), draft(CLOSE, policy="gone"))
    with app.store.write() as conn:
        for id_ in ids[:3]:
            review(conn, id_, Decision.APPROVED, by="mara", now=app.now())
        review(conn, ids[3], Decision.REJECTED, by="mara", now=app.now(), reason="no")
        review(conn, ids[0], Decision.REOPENED, by="mara", now=app.now())
    browser.get("/policies")
    assert "66 %" in browser.text and "2 of 3 decisions" in browser.text
    assert "no longer in the settings" in browser.text
    assert "proposes; people decide" in browser.text
    assert "10 minutes, so that it can be taken back" in browser.text


def test_a_proposal_that_nobody_reviewed_in_time_has_lapsed(
    app: App, browser: Browser, clock: Clock
) -> None:
    [id_] = offer(app, draft(WARNING))
    clock.pass_(days=7)
    browser.sign_in_again()
    assert "<strong>lapsed</strong>" in browser.get(f"/proposals/{id_}").text
    assert "0 waiting" in browser.get("/").text
