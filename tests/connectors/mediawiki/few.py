"""A wiki that answers few rows at a time, as a large one does in proportion."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from ordito.connectors.mediawiki.client import Client


def answer_few(monkeypatch: pytest.MonkeyPatch, rows: Callable[[], int]) -> None:
    """Ask for no more than `rows` of any list at a time."""
    send = Client._send

    def sent(
        self: Client, action: str, write: bool, params: Mapping[str, Any], post: bool = False
    ) -> dict[str, Any]:
        few = {
            name: rows()
            for name, value in params.items()
            if name.endswith("limit") and (value == "max" or int(value) > 10)
        }
        return send(self, action, write, {**params, **few}, post)

    monkeypatch.setattr(Client, "_send", sent)
