"""Wikitext on the review page: what it becomes, and that nothing in it takes effect."""

from dataclasses import replace
from html.parser import HTMLParser
from urllib.parse import urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markupsafe import escape

from ordito.connectors.actions import EditText, SendMessage
from ordito.policies.review.web.wikitext import LONGEST, render
from ordito.sync.context import App
from tests.policies.hostile import HOSTILE
from tests.policies.review.community import PAGE_EDIT, draft, offer
from tests.policies.review.web.conftest import Browser

WIKI = "https://wiki.example/"
LINK = 'rel="noopener noreferrer nofollow"'
VOID = {"br", "wbr", "hr"}
KNOWN = {
    "p", "a", "span", "b", "i", "s", "u", "small", "code", "sub", "sup", "del", "ins", "em", "strong", "kbd",
    "samp", "var", "cite", "q", "mark", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "li", "div", "blockquote",
    "pre", "table", "tr", "td", "th", *VOID,
}  # fmt: skip
CLASSES = {"source", "link", "indented", "term"}


class Checker(HTMLParser):
    """Fails on every tag and attribute that we do not make, and where tags are not closed in order."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.words = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in KNOWN, tag
        for name, value in attrs:
            match tag, name:
                case "a", "href":
                    assert urlsplit(value or "").scheme in ("http", "https"), value
                    assert "a" not in self.open, "a link in a link"
                case "a", "rel":
                    assert value == "noopener noreferrer nofollow"
                case ("span" | "div"), "class":
                    assert value in CLASSES
                case _:
                    raise AssertionError(f"{tag} has {name}={value}")
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words += data

    def handle_comment(self, data: str) -> None:
        raise AssertionError(data)

    def handle_decl(self, decl: str) -> None:
        raise AssertionError(decl)


def checked(text: str) -> str:
    """The words of what it becomes, after a look at all the rest."""
    checker = Checker()
    checker.feed(render(text, lambda title: f"{WIKI}{title.replace(' ', '_')}").html)
    checker.close()
    assert not checker.open
    return checker.words


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("one\ntwo\n\nthree", "<p>one\ntwo</p><p>three</p>"),
        ("'''b''' ''i'' '''''both'''''", "<p><b>b</b> <i>i</i> <i><b>both</b></i></p>"),
        ("== A ''b'' ==\nc", "<h3>A <i>b</i></h3><p>c</p>"),
        ("* a\n** b\n* c", "<ul><li>a<ul><li>b</li></ul></li><li>c</li></ul>"),
        ("# a\n#* b\n# c\nd", "<ol><li>a<ul><li>b</li></ul></li><li>c</li></ol><p>d</p>"),
        (": a", '<div><div class="indented">a</div></div>'),
        ("; t : d", '<div><div class="term">t</div><div class="indented">d</div></div>'),
        ("a\n----\nb", "<p>a</p><hr><p>b</p>"),
        (" x  y\n z", "<pre>x  y\nz</pre>"),
        ("[[Help]]", f'<p><a href="{WIKI}Help" {LINK}>Help</a></p>'),
        ("[[Help|''me'']]s", f'<p><a href="{WIKI}Help" {LINK}><i>me</i></a>s</p>'),
        ("[[:Category:A b|c]]", f'<p><a href="{WIKI}Category:A_b" {LINK}>c</a></p>'),
        ("[[User:Zoe (x)|]]", f'<p><a href="{WIKI}User:Zoe_(x)" {LINK}>Zoe</a></p>'),
        ("[[#below|x]]", '<p><span class="link">x</span></p>'),
        ("[https://a.example b c]", f'<p><a href="https://a.example" {LINK}>b c</a></p>'),
        ("see https://a.example/x.", f'<p>see <a href="https://a.example/x" {LINK}>https://a.example/x</a>.</p>'),
        ("[//a.example b]", '<p><span class="link">b</span></p>'),
        ("[mailto:a@b.example b]", '<p><span class="link">b</span></p>'),
        ("hi ~~~~", '<p>hi <span class="source">signature and date</span></p>'),
        ("[[File:A.png|thumb|b]]", '<p><span class="source">[[File:A.png|thumb|b]]</span></p>'),
        ("<!-- secret -->", '<p><span class="source">&lt;!-- secret --&gt;</span></p>'),
        ("<nowiki>'''x''' ~~~~</nowiki>", "<p>&#39;&#39;&#39;x&#39;&#39;&#39; ~~~~</p>"),
        ("<div style='x'>a\n\nb</div>", "<div><p>a</p><p>b</p></div>"),
        ("<pre>a\n  '''b'''</pre>", "<pre>a\n  &#39;&#39;&#39;b&#39;&#39;&#39;</pre>"),
        ("a<br>b<small onclick=x>c</small>", "<p>a<br>b<small>c</small></p>"),
        (
            "{|\n! h\n|-\n| a || b\n|}",
            "<table><tr><th><p>h</p></th></tr><tr><td><p>a </p></td>\n<td><p>b</p></td></tr></table>",
        ),
        ("&lt;b&gt; &#39;", "<p>&lt;b&gt; &#39;</p>"),
        ("a &#x202E;b\u2066", "<p>a ⟨U+202E⟩b⟨U+2066⟩</p>"),
        ("<script>alert(1)</script>", "<p>&lt;script&gt;alert(1)&lt;/script&gt;</p>"),
    ],
)  # fmt: skip
def test_what_wikitext_becomes(text: str, html: str) -> None:
    assert render(text, lambda title: f"{WIKI}{title.replace(' ', '_')}").html == html
    checked(text)


def test_templates_are_shown_by_their_source_and_named_once() -> None:
    shown = render("{{Welcome|a=''b''}} and {{ welcome\n|c}} {{{1|x}}} {{Welcome}}", str)
    assert shown.unexpanded == ("{{Welcome}}", "{{welcome}}", "{{1}}")
    assert '<span class="source">{{Welcome|a=&#39;&#39;b&#39;&#39;}}</span>' in shown.html


ATTACKS = (
    *HOSTILE,
    "<iframe src=https://evil.example>",
    "<a href=javascript:alert(1)>x</a>",
    "<svg onload=alert(1)>",
    "<style>*{display:none}</style>",
    "<b onclick=alert(1) style=position:fixed>x</b>",
    "<form action=https://evil.example><input name=csrf>",
    "<meta http-equiv=refresh content=0>",
    "<ref name=\"'><script>alert(1)</script>\">x</ref>",
    "[javascript:alert(1) x]",
    "[data:text/html,x y]",
    "[https://e.example/\"onmouseover=\"alert(1) x]",
    "[[Page\"onclick=\"alert(1)|x]]",
    "[[A|[https://evil.example b]]]",
    "[https://evil.example [[A]] ]",
    "'''<i>''' </i>",
    "<div><b></div></b>",
    "</p></div></main>",
    "<pre></pre></pre>",
    "{|\n|<td><td>\n|}",
    "<nowiki></nowiki><script>x</script></nowiki>",
    "&#60;script&#62;",
    "<<b>script>",
    "<math><mi xlink:href=javascript:alert(1)>",
    "-->]]>",
)
FRAMES = (
    "{}", "'''{}'''", "* {}", "[[A|{}]]", "[https://a.example {}]", "{{{{x|{}}}}}", "<div>{}</div>",
    "== {} ==", "{{|\n| {}\n|}}", "<nowiki>{}", "<b>{}", " {}", "<ref>{}</ref>", "; {} : {}",
)  # fmt: skip


@pytest.mark.parametrize("frame", FRAMES)
def test_nothing_in_wikitext_takes_effect(frame: str) -> None:
    for attack in ATTACKS:
        checked(frame.format(attack, attack))


MARKUP = st.sampled_from([
    "word", " ", "\n", "\n\n", "'''", "''", "*", "#", ":", ";", "==", "[[", "]]", "|", "[", "]", "{{",
    "}}", "{|", "|-", "|}", "!", "<b>", "</b>", "<div>", "</div>", "<nowiki>", "</nowiki>", "<pre>",
    "</pre>", "<ref>", "</ref>", "<!--", "-->", "https://a.example/", "~~~~", "----", "&lt;",
    "&#x3c;", "<br>", "<script>", '"',
])  # fmt: skip
OPENING = st.sampled_from(["'''", "''", "\n* ", "\n", " ", "== ", "<b>", "[[", "{{", "<div>"])


@settings(deadline=None)
@given(st.lists(MARKUP, max_size=40).map("".join))
def test_whatever_is_written_the_result_is_well_formed(text: str) -> None:
    checked(text)


@settings(deadline=None)
@given(st.lists(OPENING, max_size=12))
def test_no_word_is_lost(markup: list[str]) -> None:
    text = "".join(f"{each}w{number}w" for number, each in enumerate(markup))
    words = checked(text)
    for number in range(len(markup)):
        assert f"w{number}w" in words, text


def test_a_text_for_a_wiki_is_rendered_and_its_source_a_fold_away(app: App, browser: Browser) -> None:
    text = "'''Hello''' [[Help]], {{welcome}}\n<script>alert(1)</script> ~~~~\n"
    message = SendMessage(site="wiki", to=("3",), subject="Hello", text=text)
    [id_] = offer(app, draft(message))
    html = browser.get(f"/proposals/{id_}").text
    assert "<b>Hello</b>" in html and "title=Help" in html
    assert "Only the wiki itself can expand" in html and "{{welcome}}" in html
    assert "As it would be sent" in html and "&#39;&#39;&#39;Hello&#39;&#39;&#39; [[Help]]" in html
    assert "<script>alert" not in html


def test_an_edit_shows_its_changes_and_folds_the_page_away(app: App, browser: Browser) -> None:
    edit: EditText = replace(PAGE_EDIT, text="One\n\n'''Four'''\n")
    [id_] = offer(app, draft(edit))
    html = browser.get(f"/proposals/{id_}").text
    assert html.index("<ins>") < html.index("The whole text") < html.index("<b>Four</b>")


@pytest.mark.parametrize("text", ["x" * (LONGEST + 1), "<b>" * 301, "{|\n" * 301, "[//a " * 301])
def test_what_would_take_the_parser_too_long_is_left_as_it_is(text: str) -> None:
    shown = render(text, str)
    assert shown.source and shown.html == f"<pre>{escape(text)}</pre>"


def test_what_the_parser_does_not_bear_is_left_as_it_is() -> None:
    text = "<b k=<td> \x00/>"
    shown = render(text, str)
    assert shown.source and "td" in shown.html


def test_what_is_left_as_it_is_says_so(app: App, browser: Browser) -> None:
    [id_] = offer(app, draft(SendMessage(site="wiki", to=("3",), subject="Hello", text="<b>" * 301)))
    assert "it is too much to be rendered here" in browser.get(f"/proposals/{id_}").text


def test_lists_go_no_deeper_than_anybody_needs() -> None:
    html = render("*" * 5_000 + " x", str).html
    assert html.count("<ul>") == 12
    checked("*" * 500 + " x\n" + "#" * 400 + " y")
