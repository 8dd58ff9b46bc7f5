"""What the connector can do, one module for each kind of item."""

from __future__ import annotations

from ..acting import Verb
from . import editing, messages, people, state

VERBS: tuple[Verb, ...] = (*messages.VERBS, *editing.VERBS, *state.VERBS, *people.VERBS)
