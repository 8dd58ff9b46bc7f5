"""What all tables have in common: the naming of their constraints, and how rows are numbered.

The migrations make the tables, in the words of both databases. What is special to one, as where an index is
partial, the declarations say in SQLite's only: to name PostgreSQL there loads all that SQLAlchemy has for it.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Integer, MetaData

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

# BIGINT primary keys do not autoincrement on SQLite, INTEGER ones do.
serial = BigInteger().with_variant(Integer, "sqlite")
