"""Points in time as people type them."""

from __future__ import annotations

from datetime import UTC, date, datetime, time

from ..config.durations import Duration
from ..config.errors import UsageError


def read_moment(text: str, now: datetime) -> datetime:
    """`2026-03-01` (its first moment), `2026-03-01T12:00` or `7 days` (before now); UTC unless it says
    otherwise. Raises UsageError."""
    try:
        if text[:1].isdigit() and text[-1:].isalpha() and " " in text.strip():
            return Duration.parse(text).before(now)
        if len(text) == len("2026-01-31"):
            return datetime.combine(date.fromisoformat(text), time.min, tzinfo=UTC)
        moment = datetime.fromisoformat(text)
    except ValueError:
        hint = "Write 2026-03-01, 2026-03-01T12:00 or '7 days' (ago)."
        raise UsageError(f"'{text}' is not a time.", hint=hint) from None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
