"""What stands on the terminal: prompts, help, and proposals that are longer than the window."""

import re
from dataclasses import replace

import pytest

from ordito.policies.review.deciding import Reviewer
from ordito.policies.review.queue import card
from ordito.policies.review.screen import END
from ordito.policies.review.terminal import END_PROMPT, HELP, MORE_PROMPT, PROMPT, Session
from ordito.sync.context import App
from ordito.sync.outbox import Filters
from tests.policies.review.community import CLOSE, TAG, WELCOME, FakeScreen, Sit, draft, look, offer, states


def test_prompts_and_help_fit_80_columns() -> None:
    assert max(map(len, [PROMPT, END_PROMPT, *HELP.splitlines()])) < 80


def test_question_mark_tells_every_key(app: App, sit: Sit) -> None:
    offer(app, draft(TAG))
    out = sit("?", "q").out
    assert HELP in out
    assert out.count("Add the tag “setup” to") == 1, "the proposal is not shown again"


def test_every_key_is_described_in_the_help(app: App) -> None:
    [id_] = offer(app, draft(TAG))
    session = Session(app, Reviewer(app.store, "mara"), FakeScreen([]), Filters())
    with app.store.read() as conn:
        keys = session.keys(card(conn, look(app, id_), app.platforms(), app.now()))
    names = {"\n": "Enter", " ": "Space", END: ""}
    for key in keys:
        name = names.get(key, key)
        assert re.search(rf"(^|\s|\(){re.escape(name)}[ ,]", HELP, re.MULTILINE), key
    for line in HELP.splitlines():
        assert line[0] in keys, line


def test_the_prompts_name_only_keys_that_there_are(app: App) -> None:
    [id_] = offer(app, draft(TAG))
    session = Session(app, Reviewer(app.store, "mara"), FakeScreen([]), Filters())
    with app.store.read() as conn:
        keys = session.keys(card(conn, look(app, id_), app.platforms(), app.now()))
    for prompt in (PROMPT, MORE_PROMPT, END_PROMPT):
        for part in prompt.removesuffix(" >").split(", "):
            assert {"Space": " "}.get(part.split()[0], part.split()[0]) in keys, part


def test_a_long_proposal_comes_a_screen_at_a_time(app: App, sit: Sit) -> None:
    long = replace(WELCOME, text="".join(f"line {number}\n\n" for number in range(30)))
    first, second = offer(app, draft(long), draft(TAG))
    out = sit(" ", "x", "\n", "a", "q", height=24).out
    screens = out.split(MORE_PROMPT)
    assert len(screens) == 4 and "line 0" in screens[0] and "line 29" not in screens[2]
    assert max(len(screen.splitlines()) for screen in screens[:3]) <= 24
    assert states(app, first, second) == ["approved", "proposed"]


@pytest.mark.parametrize("key", ["s", "n"])
def test_a_long_proposal_can_be_left_before_its_end_and_counts_as_unseen(
    app: App, sit: Sit, key: str
) -> None:
    first, second = offer(app, draft(replace(WELCOME, text="line\n\n" * 30)), draft(TAG))
    out = sit(key, "A", "", "p", *[" "] * 3, "A", "", "q", height=24).out
    assert "2 wait of greet, 1 of which you have not seen" in out
    assert out.rindex("2 wait of greet. Type 2") > out.rindex("of which you have not seen")
    assert states(app, first, second) == ["proposed", "proposed"]


def test_a_review_can_be_left_in_the_middle_of_a_long_proposal(app: App, sit: Sit) -> None:
    offer(app, draft(replace(WELCOME, text="line\n\n" * 30)))
    out = sit("q", height=24).out
    assert PROMPT not in out and out.endswith("Nothing decided; 1 still waiting.\n")


def test_what_is_not_shown_to_its_end_is_not_decided_on(app: App, sit: Sit) -> None:
    [first] = offer(app, draft(replace(WELCOME, text="line\n\n" * 30)))
    sit("a", "a", height=24)
    assert states(app, first) == ["proposed"]


def test_the_place_counts_what_is_decided(app: App, sit: Sit) -> None:
    offer(app, draft(WELCOME), draft(TAG), draft(CLOSE, policy="tidy"))
    out = sit("a", "s", "p", "u", "q").out
    assert re.findall(r"── (\d of \d) ──", out) == ["1 of 3", "2 of 3", "3 of 3", "2 of 3", "1 of 3"]
