"""Alembic's revisions of the tables; run through `upgrade.py` only."""

HEAD = "0005"
"""The revision that this version of the program works with; the newest file in `versions/`."""
