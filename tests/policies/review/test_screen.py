"""The real terminal: single keys, keys typed ahead, lines, and what happens without one."""

from collections.abc import Callable, Iterator
from io import StringIO

import pytest
from rich.console import Console

from ordito.policies.review.screen import END, ConsoleScreen
from ordito.sync.output import clean


def screen(getchar: Callable[[], str]) -> tuple[ConsoleScreen, StringIO]:
    out = StringIO()
    return ConsoleScreen(Console(file=out, width=80), getchar), out


def typing(*chunks: str) -> Callable[[], str]:
    left: Iterator[str] = iter(chunks)
    return lambda: next(left)


def refusing(error: type[BaseException]) -> Callable[[], str]:
    def getchar() -> str:
        raise error

    return getchar


def test_a_key_is_given_at_once_and_shown() -> None:
    sits, out = screen(typing("a"))
    assert sits.key("What? >") == "a"
    assert out.getvalue() == "What? > a\n"


def test_nobody_decides_ahead_on_what_is_not_shown_yet() -> None:
    sits, _ = screen(typing("aaa", "\r"))
    assert [sits.key(">"), sits.key(">")] == ["a", "\n"]


@pytest.mark.parametrize(
    ("sequence", "key"),
    [("\x1b[C", "n"), ("\x1b[B", "n"), ("\x1b[D", "p"), ("\x1b[A", "p"), ("\x1b[5~", "?"), ("\x1b", "?")],
)
def test_arrows_go_forth_and_back_and_other_sequences_help(sequence: str, key: str) -> None:
    sits, _ = screen(typing(sequence))
    assert sits.key(">") == key


@pytest.mark.parametrize("error", [EOFError, KeyboardInterrupt])
def test_control_c_and_d_end_the_input(error: type[BaseException], monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(prompt: str = "") -> str:
        raise error

    sits, _ = screen(refusing(error))
    monkeypatch.setattr("builtins.input", stop)
    assert sits.key(">") == END
    assert sits.line("Why?") is None


@pytest.mark.parametrize("error", [ImportError, OSError])
def test_without_single_keys_a_key_is_a_line(
    error: type[BaseException], monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = iter(["approve", "", "  A "])
    monkeypatch.setattr("builtins.input", lambda prompt="": next(lines))
    sits, _ = screen(refusing(error))
    assert [sits.key(">") for _ in range(3)] == ["a", "\n", "A"]


def test_remarks_are_neither_markup_nor_commands() -> None:
    sits, out = screen(typing())
    sits.say("[bold]x[/bold] :smile: \x1b[31m")
    assert out.getvalue() == "[bold]x[/bold] :smile: ⟨U+001B⟩[31m\n"
    assert clean(out.getvalue()) == out.getvalue()
