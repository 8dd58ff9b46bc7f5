"""The memory of API posts: an identical request within two minutes gets the same answer, errors included."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from .call import Call, Reply


@dataclass(slots=True)
class Memory:
    reply: Reply
    at: datetime


def remembered(call: Call, answer: Callable[[Call], Reply]) -> Reply:
    """The answer of `answer`, or the one it gave to the same user and parameters lately.

    Refusals by exception (no right, too quick) are not kept, as Discourse does not keep them.
    """
    if call.key is None or not call.forum.settings.memo_seconds:
        return answer(call)
    who = call.user.id if call.user else None
    signature = json.dumps([who, call.address, call.agent, call.params], sort_keys=True, default=str)
    memories = call.forum.memo
    known = memories.get(signature)
    now = call.forum.clock()
    if known is not None and now - known.at < timedelta(seconds=call.forum.settings.memo_seconds):
        return known.reply
    reply = answer(call)
    memories[signature] = Memory(reply, now)
    return reply
