"""What the sandbox's people say whatever they talk about, and what they are called."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Manners:
    """What people say in any area, in one language."""

    ask_back: tuple[str, ...]
    follow_up: tuple[str, ...]
    thanks: tuple[str, ...]
    chat: tuple[str, ...]
    hello: tuple[str, ...]
    """Titles of introductions."""
    about: tuple[str, ...]
    """Their texts; `{area}` is the area's name."""
    welcome: tuple[str, ...]
    wake: tuple[str, ...]
    """Said when an old topic wakes."""


MANNERS = {
    "en": Manners(
        ask_back=(
            "Could you post a picture? From the text alone it is hard to say.",
            "Which model is it, and how old?",
            "Did it start at once or slowly?",
        ),
        follow_up=(
            "I tried that and nothing changed. What else could it be?",
            "Thank you, and how long do you leave it like that?",
            "That helped half the way. Does anybody know the second step?",
        ),
        thanks=("That was it, thank you!", "Solved, thanks to both of you.", "Works. I will write it down."),
        chat=(
            "Interesting, I had not thought of that.",
            "We talked about the same thing at the last meeting.",
            "I would do it the other way round, but both work.",
            "There are photos of mine in the other topic.",
        ),
        hello=(
            "Hello from a beginner",
            "New here",
            "Good evening, everybody",
        ),
        about=(
            "I found you through a friend. I am new to {area} and hope to learn from you.",
            "I moved here last month and look for people who care about {area}.",
            "I have been reading for a while. My field is {area}, and I have many questions.",
        ),
        welcome=(
            "Welcome! Have a look at the list of meetings, beginners are always welcome there.",
            "Good to have you here. What are you working on at the moment?",
        ),
        wake=("I know that this is old, but I have the same problem now.", "Any news on this?"),
    ),
    "it": Manners(
        ask_back=("Puoi mettere una foto? Dal testo è difficile.", "Che modello è, e di che anno?"),
        follow_up=(
            "Ho provato e non è cambiato niente. Che cos'altro può essere?",
            "Grazie! E per quanto tempo lo lasciate così?",
        ),
        thanks=("Era proprio quello, grazie!", "Risolto, grazie a tutti."),
        chat=("Interessante, non ci avevo pensato.", "Ne abbiamo parlato all'ultimo incontro."),
        hello=("Ciao da un principiante", "Mi presento", "Buonasera a tutti"),
        about=(
            "Vi ho trovati grazie a un amico. Per me {area} è tutto nuovo.",
            "Mi sono trasferita da poco e cerco chi si occupa di {area}.",
        ),
        welcome=("Benvenuto! Guarda l'elenco degli incontri.", "Che bello averti qui. Su che cosa lavori?"),
        wake=("So che è vecchio, ma ho lo stesso problema.", "Ci sono novità?"),
    ),
}

FIRST_NAMES = {
    "en": ("Alice", "Bruno", "Carol", "Dan", "Edith", "Frank", "Grace", "Hugo", "Ines", "Jack", "Kate",
           "Liam", "Mona", "Neil", "Olive", "Paul", "Quinn", "Rose", "Sam", "Tess", "Vera", "Zoe"),
    "it": ("Anna", "Bice", "Carlo", "Dario", "Elena", "Fabio", "Gaia", "Irene", "Luca", "Marta", "Nico",
           "Olga", "Pietro", "Rita", "Sara", "Teo", "Ugo", "Viola"),
}  # fmt: skip
LAST_NAMES = {
    "en": ("Archer", "Baker", "Cooper", "Dale", "Ellis", "Fisher", "Gardner", "Hill", "Joiner", "Kettle",
           "Lamb", "Mason", "North", "Orchard", "Potter", "Reed", "Shepherd", "Thatcher", "Wheeler"),
    "it": ("Amato", "Boschi", "Conti", "Donati", "Ferri", "Galli", "Lombardi", "Moretti", "Neri", "Orlandi",
           "Pace", "Riva", "Serra", "Testa", "Villa", "Zanetti"),
}  # fmt: skip
