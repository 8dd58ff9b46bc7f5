"""A stand-in for a Discourse site: state, WSGI app and server. See README.md in this folder."""

from .acting import Person
from .app import App
from .clock import Clock
from .dialect import DIALECTS, Dialect
from .faults import Entry, Fault, Faults
from .forum import Forum
from .load import Community, load, load_forum
from .serve import API_KEY, DiscourseServer
from .settings import Settings

__all__ = [
    "API_KEY",
    "DIALECTS",
    "App",
    "Clock",
    "Community",
    "Dialect",
    "DiscourseServer",
    "Entry",
    "Fault",
    "Faults",
    "Forum",
    "Person",
    "Settings",
    "load",
    "load_forum",
]
