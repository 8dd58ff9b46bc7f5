"""What somebody's words to us mean: the phrase that ends all contact, and a yes or a no to a question.

The first line of their own words decides: quotes, what a mail program puts around them, and a line that only
greets are no words of theirs. A yes is nothing but a yes, with whatever courtesy, and nothing that follows
takes it back or makes it conditional. Of all else nobody can be sure: moderators look at it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Literal

from .comparisons import fold

Verdict = Literal["yes", "no", "unclear"]

_QUOTE = re.compile(r"\[quote\b(?:(?!\[quote\b).)*?\[/quote\]", re.S | re.I)
"""A quote without another one inside."""
_STRUCK = re.compile(
    r"~~.{0,500}?~~|<!--.{0,2000}?-->|<(s|del|strike|blockquote)\b[^>]{0,99}>.{0,2000}?</\1>", re.S | re.I
)
_QUOTED_LINE = re.compile(r"^ {0,3}>.*$", re.M)
_WROTE = re.compile(
    r"^(?:On|Il|Am|Le|El)\b[^\n]{0,99}?\d[^\n]{0,99}(?:\n[^\n]{0,99})?"
    r"\b(?:wrote|ha scritto|a écrit|escribió|schrieb\b[^\n]{0,99})\s?:[ \t]*$",
    re.M | re.I,
)
"""Above what a mail program quotes, sometimes broken into two lines."""
_BELOW = re.compile(
    r"^(?:-{2,} ?(?:original message|messaggio originale|ursprüngliche nachricht|message d.origine"
    r"|mensaje original) ?-{2,}|_{10,}|-- )[ \t]*$"
    r"|^(?:from|da|von|de): [^\n]+\n(?:sent|date|inviato|data|gesendet|envoyé|enviado(?: el)?): ",
    re.M | re.I,
)
"""From here on it is the message answered, or a signature."""
_MARKS = "*_~`'\" .!,;:"
_PAUSE = re.compile(r"[,.;:!–—]")
_WORD = re.compile(r"\w+(?:'\w+)*")

_YES = """
yes; yep; yeah; yup; sure; certainly; absolutely; definitely; of course; agreed; i agree; gladly
with pleasure
sì; si; certo; certamente; assolutamente; volentieri; d'accordo; sono d'accordo; va bene; con piacere
acconsento
ja; gern; gerne; sehr gerne; einverstanden; natürlich; selbstverständlich
oui; d'accord; volontiers; bien sûr; avec plaisir
sí; claro; de acuerdo; por supuesto; con gusto
"""
_NO = """
no; nope; nah; no way; rather not; i'd rather not; i would rather not; i'd prefer not; i would prefer not to
preferisco di no; preferirei di no; meglio di no; non sono d'accordo; non acconsento
nein; lieber nicht; eher nicht
non; plutôt pas; je préfère pas; je ne préfère pas
mejor no; prefiero que no
"""
_COURTESY = """
please; please do; thanks; thanks a lot; many thanks; thank you; thank you very much; go ahead; do
do it; i do
you may; you can; why not; no problem; no worries; fine; that's fine; fine with me; fine by me
happy to; glad to
i'd be happy to; i'd be glad to; i'd love to; i would be happy to; i would love to; sounds good; feel free
for asking; for the question; for your trust; that's kind; that's very kind; very kind; kind of you; of you
my pleasure; happy to help; glad to help; i'm honoured; i'm honored; i'd be honoured; i'd be honored
count me in; great; good; nice; sounds great
per favore; per piacere; prego; grazie; grazie mille; molte grazie; perché no; nessun problema
fate pure; pure; per la domanda; per averlo chiesto; per aver chiesto; per la fiducia; molto gentile; gentile
bitte; danke; vielen dank; kein problem; warum nicht; der nachfrage; für die nachfrage; fürs fragen
s'il vous plaît; s'il te plaît; merci; merci beaucoup; pas de problème; pourquoi pas
de demander; d'avoir demandé
por favor; gracias; muchas gracias; por qué no; sin problema; por preguntar
"""
_GREETINGS = """
hi; hello; hey; dear; ordito; moderators; all; there; ciao; salve; buongiorno; buonasera; a tutti
moderatori
hallo; guten tag; bonjour; hola; buenos días
"""
_HEDGES = """
no; not; never; but; only; except; unless; if; though; although; however; maybe; perhaps; until
without; wait; unsure
don't; didn't; won't; can't; cannot; shouldn't; wouldn't; isn't; dont; wont; cant; stop; changed
nope; nah; neither; nor; none; nobody; actually; instead; rather; later; yet; once; when; long; provided
providing; condition; conditions; forget; ignore; disregard; cancel; remove; delete; withdraw; leave; out; off
kidding; joking; joke; mistake; wrong; oops; second; anonymous; anonymously; hide; undo; unlist
non; ma; però; solo; soltanto; tranne; se; mai; forse; purché; senza; aspetta; aspettate
né; nemmeno; neanche; anzi; invece; quando; finché; condizione; condizioni; patto; dimentica; dimenticate
ignora; ignorate; annulla; annullate; cancella; cancellate; cancellatemi; togli; togliete; toglietemi
rimuovi; rimuovete; rimuovetemi; scherzo; scherzavo; errore; sbagliato; ripensandoci; anonimo
nein; nicht; kein; keine; keinen; nie; aber; nur; außer; wenn; falls; vielleicht; ohne
weder; sondern; doch; jedoch; allerdings; solange; sofern; sobald; später; bevor; bedingung; vergiss
vergesst; ignoriert; streicht; entfernt; löscht; scherz; witz; irrtum; versehen; anonym
pas; jamais; mais; sauf; seulement; peut; sans
ni; ne; n'en; plus; plutôt; finalement; cependant; toutefois; quand; condition; tant; oubliez; oublie
ignorez; annulez; supprimez; retirez; blague; erreur; anonyme
nunca; pero; salvo; quizás; quizá; sin
tampoco; sino; cuando; mientras; siempre; condición; olvida; olvidad; olvídalo; olvídenlo; ignoren
cancela; borra; quita; elimina; broma; anónimo
"""
"""Any of these after a yes makes it one that a person has to read."""
_AGAINST = frozenset("👎❌🚫🙅⛔🛑")


def _phrases(listed: str) -> frozenset[tuple[str, ...]]:
    return frozenset(words(each) for each in re.split(r"[;\n]", listed) if each.strip())


def words(text: str) -> tuple[str, ...]:
    """The words of a text, folded, without marks of emphasis and punctuation."""
    plain = fold(text).replace("’", "'").replace("_", " ")
    return tuple(_WORD.findall(plain))


_AGREES, _DECLINES, _GREETS = _phrases(_YES), _phrases(_NO), _phrases(_GREETINGS)
_KIND = _phrases(_COURTESY) | _GREETS
_CONTRARY = {each for phrase in _phrases(_HEDGES) for each in phrase}
_LONGEST = max(map(len, _AGREES | _DECLINES | _KIND))


def own_lines(text: str) -> list[str]:
    """The lines of somebody's own words that are not empty: no quotes, nothing struck out, no signature."""
    plain, found = _QUOTE.subn("", text)
    while found:
        plain, found = _QUOTE.subn("", plain)
    plain = _QUOTED_LINE.sub("", _STRUCK.sub("", plain.replace("\r\n", "\n")))
    plain = _WROTE.sub("", plain)
    if below := _BELOW.search(plain):
        plain = plain[: below.start()]
    lines = [line.strip() for line in plain.splitlines()]
    lines = [line for line in lines if line]
    return lines[1:] if len(lines) > 1 and _is(words(lines[0]), {_GREETS}) else lines


def first_line(text: str) -> str:
    """The first of somebody's own lines, without marks of emphasis and final punctuation."""
    return next(iter(own_lines(text)), "").strip(_MARKS)


def asks_to_stop(line: str, phrase: str) -> bool:
    """Whether a first line is the phrase that was agreed on, or begins with it as a sentence of its own,
    whatever courtesy goes with it."""
    wanted = words(phrase)
    if not wanted or "?" in line:
        return fold(line.strip(_MARKS)) == fold(phrase.strip(_MARKS))
    alone = (words(each) for each in (line, _PAUSE.split(line.lstrip(_MARKS), maxsplit=1)[0]))
    return any(
        said == wanted or _is(said, {_KIND, frozenset({wanted})}, frozenset({wanted})) for said in alone
    )


def verdict(lines: Sequence[str]) -> Verdict | None:
    """What somebody's own lines answer to a question; None where there are none."""
    if not lines:
        return None
    first, *rest = lines
    said, after = words(first), {word for line in rest for word in words(line)}
    if "?" in first:
        return "unclear"
    if _is(said, {_AGREES, _KIND}, _AGREES):
        return "unclear" if _AGAINST & set(first) or takes_back(rest) else "yes"
    start = _PAUSE.split(first, maxsplit=1)[0]
    agreed = {phrase[0] for phrase in _AGREES if len(phrase) == 1}
    if _is(words(start), {_DECLINES, _KIND}, _DECLINES):
        return "unclear" if (set(said) | after) & agreed else "no"
    return "unclear"


def takes_back(lines: Iterable[str]) -> bool:
    """Whether what somebody wrote after their answer might change it."""
    return any(_AGAINST & set(line) or _CONTRARY & set(words(line)) for line in lines)


def _is(
    said: tuple[str, ...],
    of: set[frozenset[tuple[str, ...]]],
    needed: frozenset[tuple[str, ...]] | None = None,
) -> bool:
    """Whether words are a row of phrases of these, the longest taken first, with one at least of `needed`."""
    known: set[tuple[str, ...]] = set().union(*of)
    place, met = 0, needed is None
    while place < len(said):
        length = next((n for n in range(_LONGEST, 0, -1) if said[place : place + n] in known
                       and place + n <= len(said)), 0)  # fmt: skip
        if not length:
            return False
        met = met or (needed is not None and said[place : place + length] in needed)
        place += length
    return met and bool(said)
