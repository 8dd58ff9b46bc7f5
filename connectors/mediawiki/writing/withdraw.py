"""Taking a section back from a talk page, and nothing else."""

from __future__ import annotations

import re

_NEXT = re.compile(r"\s*(\n=|\Z)")
"""What may follow a section of which nobody answered: the next heading, or the end."""


def without_section(now: str, before: str, after: str) -> str | None:
    """`now` without what `after` had more than `before`, which was a section added at the end.

    None where that is not there any more as it was, or something was written below it: it is answered.
    """
    head = before.rstrip("\n")
    if not after.startswith(head):
        return None
    ours = after[len(head) :].strip("\n")
    place = now.find(ours)
    if not ours or place < 0 or now.count(ours) != 1:
        return None
    rest = now[place + len(ours) :]
    if _NEXT.match(rest) is None:
        return None
    above, below = now[:place].rstrip("\n"), rest.strip("\n")
    return "\n\n".join(filter(None, (above, below)))
