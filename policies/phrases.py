"""Phrases that messages are put together from, in the languages that are shipped.

A language without phrases gets English ones; templates in that language can still say everything else.
"""

from __future__ import annotations

from ..config.durations import Duration

_UNITS = {
    "en": {
        "minute": ("minute", "minutes"), "hour": ("hour", "hours"), "day": ("day", "days"),
        "week": ("week", "weeks"), "month": ("month", "months"), "year": ("year", "years"),
    },
    "it": {
        "minute": ("minuto", "minuti"), "hour": ("ora", "ore"), "day": ("giorno", "giorni"),
        "week": ("settimana", "settimane"), "month": ("mese", "mesi"), "year": ("anno", "anni"),
    },
}  # fmt: skip

_MORE_THAN = {"en": "more than", "it": "più di"}

_SOME_TIME = {"en": "some time", "it": "un po' di tempo"}

_WHY = {
    "en": {
        "welcome": "You get this once, because you have just contributed here for the first time.",
        "stale": "This message comes from a rule of the moderators about topics and pages that have gone "
        "quiet.",
        "experts": "You are asked once, because others here found your contributions useful.",
        "rule": "This message comes from the rule “{policy}”, which the moderators of this place have set.",
        "directory": "Listed here are people whose contributions others found useful, and who agreed to be "
        "named.",
        "directory, unasked": "Listed here are people whose contributions others found useful.",
    },
    "it": {
        "welcome": "Ricevi questo messaggio una volta sola, perché hai appena contribuito qui per la prima "
        "volta.",
        "stale": "Ricevi questo messaggio per una regola dei moderatori sulle discussioni e sulle pagine "
        "ferme da tempo.",
        "experts": "Te lo chiediamo, una volta sola, perché i tuoi contributi sono stati utili ad altri.",
        "rule": "Ricevi questo messaggio per la regola «{policy}», stabilita dai moderatori.",
        "directory": "Nell'elenco c'è chi ha dato contributi utili ad altri e ha accettato di comparire.",
        "directory, unasked": "Nell'elenco c'è chi ha dato contributi utili ad altri.",
    },
}

_NOBOTS = "<nowiki>{{</nowiki>nobots<nowiki>}}</nowiki>"
"""Shown as the template is written. In one piece it would be an opt-out of the very page that it stands on:
bots, ours among them, look for it in the source, inside of nowiki as well."""

_STOP = {
    "en": {
        "forum": "To hear nothing more from me, reply with {phrase} as the first line.",
        "wiki": "To hear nothing more from me, reply here with {phrase} as the first line, "
        "or put {nobots} on your talk page.",
        "page": "To be taken off, put {nobots} on your talk page.",
    },
    "it": {
        "forum": "Se non vuoi più messaggi da me, rispondi scrivendo {phrase} come prima riga.",
        "wiki": "Se non vuoi più messaggi da me, rispondi qui sotto scrivendo {phrase} come prima riga, "
        "oppure metti {nobots} nella tua pagina di discussione.",
        "page": "Per non comparire, metti {nobots} nella tua pagina di discussione.",
    },
}


def _spoken(language: str) -> str:
    base = language.partition("-")[0]
    return base if base in _UNITS else "en"


def duration(length: Duration, language: str) -> str:
    """`14 days`, `14 giorni`."""
    one, many = _UNITS[_spoken(language)][length.unit]
    return f"{length.amount} {one if length.amount == 1 else many}"


def more_than(length: Duration, language: str) -> str:
    """`more than 180 days`, `più di 180 giorni`."""
    return f"{_MORE_THAN[_spoken(language)]} {duration(length, language)}"


def some_time(language: str) -> str:
    """`some time`, where no number is known that would stay true."""
    return _SOME_TIME[_spoken(language)]



def why(reason: str, language: str, **values: str) -> str:
    """Why a message came, as one sentence. `values` are escaped already."""
    return _WHY[_spoken(language)][reason].format(**values)


def stop(where: str, language: str, **values: str) -> str:
    """How to stop such messages, as one sentence; `where`: forum, wiki or page (a listing)."""
    return _STOP[_spoken(language)][where].format(nobots=_NOBOTS, **values)
