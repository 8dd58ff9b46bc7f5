"""Reading talk pages: their sections, who signed what, and when.

The end of a signature (`~~~~`) is a time in the form of the wiki's content language and in the wiki's own
time zone. The forms below are those of MediaWiki's `languages/messages/Messages??.php` ("dmy both") and
`languages/i18n`. A time zone other than UTC is read as UTC: where days are counted, hours do not matter.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache

import mwparserfromhell
from mwparserfromhell.nodes import Heading

from .wiki import fold, tidy

_EN = "January February March April May June July August September October November December"
_IT = "gen feb mar apr mag giu lug ago set ott nov dic"
_DE = "Jan. Feb. Mär. Apr. Mai Jun. Jul. Aug. Sep. Okt. Nov. Dez."
_FR = "janvier février mars avril mai juin juillet août septembre octobre novembre décembre"
_ES = "ene feb mar abr may jun jul ago sep oct nov dic"
_DAY, _TIME, _YEAR = r"(?P<day>\d{1,2})", r"(?P<hour>\d{2}):(?P<minute>\d{2})", r"(?P<year>\d{4})"
_FORMS: Mapping[str, tuple[str, str]] = {
    "en": (f"{_TIME}, {_DAY} MONTH {_YEAR}", _EN),
    "it": (f"{_TIME}, {_DAY} MONTH {_YEAR}", _IT),
    "de": (rf"{_TIME}, {_DAY}\. MONTH {_YEAR}", _DE),
    "fr": (f"{_DAY} MONTH {_YEAR} à {_TIME}", _FR),
    "es": (f"{_TIME} {_DAY} MONTH {_YEAR}", _ES),
}
_ZONE = r" \([A-Za-z+\-−0-9:]{1,10}\)"

LANGUAGES = tuple(_FORMS)
"""Those whose signatures are understood."""

_KEPT = re.compile(
    r"do ?not ?archive|don'?t archive|dnau|not archive|no archive|pin section|pinned|sticky|non archiviare"
    r"|nicht archivieren|ne pas archiver|no archivar|ordito:? ?keep",
    re.IGNORECASE,
)
"""In the name of a template, or in a comment: this section stays where it is."""

_PAGE_LEVEL = 2
"""`== Heading ==`: what talk pages are divided by; anything deeper belongs to it."""


@dataclass(frozen=True, slots=True)
class Signed:
    """What somebody wrote on a talk page, up to the time in the signature. `author` '' = not to be seen."""

    author: str
    at: datetime
    text: str


@dataclass(frozen=True, slots=True)
class TalkSection:
    """A section with all below it. `text` is its wikitext without the white space at its end; `below`: what
    stands below the last signature; `kept`: it says that it is not to be archived."""

    title: str
    text: str
    signed: tuple[Signed, ...]
    below: str
    kept: bool

    @property
    def unsigned(self) -> bool:
        """Whether anything is said below the last signature: templates and marks say nothing."""
        words = mwparserfromhell.parse(self.below).strip_code()
        return any(each.isalnum() for each in words)


def understands(language: str) -> bool:
    """Whether signatures of a wiki in this language can be read."""
    return language.partition("-")[0] in _FORMS


def dates_in(text: str, language: str) -> Iterator[datetime]:
    """The times of all signatures on a page, wherever they stand: cheap to ask before `sections`."""
    pattern, months = _form(language.partition("-")[0])
    for match in pattern.finditer(text):
        at = _moment(match, months)
        if at is not None:
            yield at


def sections(text: str, language: str, namespaces: Iterable[str] = ()) -> list[TalkSection]:
    """The sections of a talk page, in order. `namespaces`: how the wiki calls User, User talk and Special
    besides their English names. Raises KeyError for a language that is not understood."""
    found = []
    for title, start, end in _spans(text):
        body = text[start:end].rstrip()
        signed = tuple(_signed(body, language, frozenset(map(fold, namespaces))))
        below = body.partition(signed[-1].text)[2] if signed else body
        below = _form(language.partition("-")[0])[0].sub("", below, count=1)
        found.append(TalkSection(title, body, signed, below, _is_kept(body)))
    return found


def without(text: str, taken: Iterable[str]) -> str | None:
    """The page without these sections, all else byte for byte but for the white space at its end; None
    where one of them does not stand there any more, exactly."""
    spans = [(start, end) for _, start, end in _spans(text)]
    gone = []
    for wanted in taken:
        place = next((s for s in spans if text[s[0] : s[1]].rstrip() == wanted.rstrip()), None)
        if place is None:
            return None
        spans.remove(place)
        gone.append(place)
    for start, end in sorted(gone, reverse=True):
        text = text[:start] + text[end:]
    return text.rstrip()


def still_there(text: str, taken: Iterable[str]) -> list[bool]:
    """Of each of these sections, whether the page still has it, as it was or changed: one of that title with
    more than half of its words."""
    now = [(title, Counter(text[start:end].split())) for title, start, end in _spans(text)]
    found = []
    for wanted in taken:
        title, words = next((name for name, *_ in _spans(wanted)), None), Counter(wanted.split())
        found.append(any(name == title and 2 * (has & words).total() > words.total() for name, has in now))
    return found


def _spans(text: str) -> Iterator[tuple[str, int, int]]:
    """Title, start and end of each section of the second level; a heading of the first ends one."""
    heads = list(_headings(text))
    for number, (start, level, title) in enumerate(heads):
        if level == _PAGE_LEVEL:
            end = heads[number + 1][0] if number + 1 < len(heads) else len(text)
            yield title, start, end


def _headings(text: str) -> Iterator[tuple[int, int, str]]:
    place = 0
    for node in mwparserfromhell.parse(text).nodes:
        if isinstance(node, Heading) and node.level <= _PAGE_LEVEL:
            yield place, node.level, str(node.title).strip()
        place += len(str(node))


def _is_kept(text: str) -> bool:
    code = mwparserfromhell.parse(text)
    words = [str(each.name) for each in code.ifilter_templates()]
    words += [str(each.contents) for each in code.ifilter_comments()]
    return any(_KEPT.search(each.replace("_", " ")) for each in words)


def _signed(text: str, language: str, namespaces: frozenset[str]) -> Iterator[Signed]:
    pattern, months = _form(language.partition("-")[0])
    begun = 0
    for match in pattern.finditer(text):
        at = _moment(match, months)
        if at is None:
            continue
        words = text[begun : match.start()]
        yield Signed(_signer(words, namespaces), at, words)
        begun = match.end()


def _moment(match: re.Match[str], months: Mapping[str, int]) -> datetime | None:
    """None for what looks like a time and is none: 31 June."""
    try:
        return datetime(
            int(match["year"]), months[match["month"]], int(match["day"]), int(match["hour"]),
            int(match["minute"]), tzinfo=UTC,
        )  # fmt: skip
    except ValueError:
        return None


@cache
def _form(language: str) -> tuple[re.Pattern[str], Mapping[str, int]]:
    form, words = _FORMS[language]
    months = {word: number for number, word in enumerate(words.split(), 1)}
    named = "|".join(re.escape(month) for month in months)
    return re.compile(form.replace("MONTH", f"(?P<month>{named})") + _ZONE), months


_LINK = re.compile(r"\[\[\s*:?\s*([^:|\]\[]+):([^|\]\[#]+)")
_OWN = frozenset({"user", "user talk"})


def _signer(words: str, namespaces: frozenset[str]) -> str:
    """Whom the last link to a user on the line before the time leads to."""
    found = ""
    for space, name in _LINK.findall(words[words.rfind("\n") + 1 :]):
        place, _, rest = name.partition("/")
        if fold(space) in _OWN | namespaces:
            found = tidy(place)
        elif rest and fold(place) in ("contributions", "contribs", "contributi", "contribuciones",
                                      "beiträge"):  # fmt: skip
            found = tidy(rest)
    return found
