"""Whatever strikes a write on its way to a real wiki or back: settled as `apply` does it, it is done once."""

from __future__ import annotations

import pytest

from tests.connectors.mediawiki.doings import long_ago, texts
from tests.connectors.mediawiki.site import Clock, connect
from tests.connectors.settled import alternating, carry_out, strikes, struck
from tests.servers.mediawiki.wiki import Wiki
from tests.servers.proxy import Proxy
from tests.servers.proxy.shapes import WIKI
from tests.sync.faulty import be_impatient

WRITES = {"reply": ("Talk:Tents", "== Notice =="), "labels": ("Tents", "[[Category:Night]]")}
"""The page that each verb writes to, and what it then holds."""


@pytest.mark.parametrize(("verb", "what"), alternating(WRITES, strikes(WIKI)))
def test_every_write_is_done_once(
    content: Wiki, monkeypatch: pytest.MonkeyPatch, verb: str, what: dict[str, object]
) -> None:
    be_impatient(monkeypatch, 1.5)
    with Proxy(content.url) as proxy:
        fault = proxy.add(struck(what, r"^POST [\s\S]*action=edit"))
        carry_out(
            lambda: connect(content, Clock(), url=f"{proxy.url}/api.php"),
            texts(content)[verb], long_ago(), lambda: None,
        )  # fmt: skip
    assert fault.struck == 1
    ours = "select count(*) from revision join actor on actor_id = rev_actor where actor_name = 'Ordito'"
    assert content.rows(ours) == [(1,)]
    title, words = WRITES[verb]
    assert (content.admin().text(title) or "").count(words) == 1
