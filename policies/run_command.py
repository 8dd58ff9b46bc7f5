"""`ordito run`: sync, plan and apply in one go, for cron."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    pass
