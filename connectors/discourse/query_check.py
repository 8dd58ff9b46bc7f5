"""What `ordito check` says of the query for Data Explorer."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from ...config.errors import Filtered, Misconfigured, NotThisPlatform, ReadOnly, Refused, Unreachable
from ..base import Finding
from .client import Client
from .explorer import beginning, run, stored
from .query import QUERY, Address, same

_STORE = "Store this query in it (Admin, Plugins, Data Explorer), word for word:\n\n" + QUERY


def findings(client: Client, address: Address, now: datetime) -> Iterator[Finding]:
    """Whether it is there, is the right one, and answers in time; up to two requests."""
    try:
        text = stored(client, address)
    except Refused:
        who = "with this group" if address.group else "with a group of this account, as group/number"
        yield Finding(
            "error",
            f"query {address.number} of Data Explorer is not there, or not for this account.",
            f"Name an administrator's account, or share the query {who}. {_STORE}",
        )
        return
    if not same(text):
        yield Finding("error", f"query {address.number} of Data Explorer is another one.", _STORE)
        return
    try:
        run(client, address, beginning(now.isoformat()), 1)
    except (Filtered, ReadOnly, Unreachable, NotThisPlatform) as error:
        yield Finding(
            "warning",
            f"query {address.number} of Data Explorer is not answered: {error.message}",
            "The lists are read instead. If it takes too long on this forum, remove data_explorer.",
        )
    except Misconfigured as error:
        yield Finding("error", error.message, error.hint)
    else:
        yield Finding("ok", "Data Explorer tells what was changed at the next sync.")
