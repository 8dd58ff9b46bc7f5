"""Data Explorer's requests: running a stored query, and reading its SQL."""

from __future__ import annotations

import json
from typing import Any

from .call import Call, Reply, route
from .errors import not_found, sql_refused
from .explorer import SqlError, StoredQuery, run


def _query(call: Call, number: int) -> StoredQuery:
    query = call.forum.queries.get(number)
    if not call.forum.settings.data_explorer_enabled or query is None:
        raise not_found()
    return query


def _stored(call: Call, number: int) -> StoredQuery:
    """For administrators only: to all others the plugin is not there."""
    if call.user is None or not call.user.admin:
        raise not_found()
    return _query(call, number)


def _shared(call: Call, group: str, number: int) -> StoredQuery:
    query = _query(call, number)
    if group not in query.groups or group not in call.forum.group_names_of(call.user):
        raise not_found()
    return query


@route("GET", "/admin/plugins/explorer/queries", "query/index")
def queries(call: Call) -> dict[str, Any]:
    if call.user is None or not call.user.admin or not call.forum.settings.data_explorer_enabled:
        raise not_found()
    return {"queries": [_row(q) for q in call.forum.queries.values()]}


@route("GET", "/admin/plugins/explorer/queries/<int:number>", "query/show")
def show(call: Call, number: int) -> Any:
    query = _stored(call, number)
    if call.forum.dialect.explorer_moved:
        there = f"{call.host_url}/admin/plugins/discourse-data-explorer/queries/{number}"
        return Reply("", 301, {"Location": there})
    return {"query": _row(query)}


@route("GET", "/admin/plugins/discourse-data-explorer/queries/<int:number>", "query/show")
def show_moved(call: Call, number: int) -> dict[str, Any]:
    return {"query": _row(_stored(call, number))}


@route("GET", "/g/<group>/reports/<int:number>", "query/group_reports_show")
def show_shared(call: Call, group: str, number: int) -> dict[str, Any]:
    return {"query": _row(_shared(call, group, number)), "query_group": None}


def _row(query: StoredQuery) -> dict[str, Any]:
    return {
        "id": query.id,
        "name": query.name,
        "description": "",
        "sql": query.sql,
        "username": "system",
        "group_ids": [],
        "hidden": False,
    }


@route("POST", "/admin/plugins/explorer/queries/<int:number>/run", "query/run")
def run_stored(call: Call, number: int) -> dict[str, Any]:
    return _result(call, _stored(call, number))


@route("POST", "/g/<group>/reports/<int:number>/run", "query/group_reports_run")
def run_shared(call: Call, group: str, number: int) -> dict[str, Any]:
    return _result(call, _shared(call, group, number))


def _result(call: Call, query: StoredQuery) -> dict[str, Any]:
    try:
        given = json.loads(call.text("params") or "{}")
    except ValueError:
        raise sql_refused("Invalid JSON in params") from None
    try:
        cursor = run(call.forum, query, {str(k): str(v) for k, v in given.items()}, call.text("limit"))
    except SqlError as error:
        raise sql_refused(str(error)) from None
    columns = [column[0] for column in cursor.description]
    rows = [list(row) for row in cursor]
    if not call.forum.dialect.explorer_types:
        rows = [[None if value is None else str(value) for value in row] for row in rows]
    return {
        "success": True,
        "errors": [],
        "duration": 1.0,
        "result_count": len(rows),
        "params": given,
        "columns": columns,
        "default_limit": call.forum.settings.data_explorer_query_result_limit,
        "relations": {},
        "colrender": {},
        "rows": rows,
    }

