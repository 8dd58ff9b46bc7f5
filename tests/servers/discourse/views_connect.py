"""Signing in through the forum: the DiscourseConnect provider, and a login page that stands for Discourse's.

`GET /login?as=alice` signs a browser in (a cookie) and, where a sign-in was begun before, goes on with it, as
the real login does after the password.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from urllib.parse import parse_qs, quote, unquote, urlencode, urlsplit

from .call import HTML_TYPE, Call, Reply, redirect, route
from .errors import not_found
from .records import User

PROVIDER = "/session/sso_provider"
NO_SECRET = (
    "Authentication failed due to missing secret. Contact the site administrators to fix this problem."
)
FORM = '<form action="/login"><label>Username <input name="as"></label> <button>Log In</button></form>'


@route("GET", PROVIDER, "session/sso_provider")
def provider(call: Call) -> Reply:
    settings = call.forum.settings
    if not settings.enable_discourse_connect_provider:
        return Reply("", 404, {"Vary": "Accept"})
    payload, signature = call.text("sso") or "", call.text("sig") or ""
    fields = _decoded(payload)
    target = fields.get("return_sso_url", "")
    if fields and not target:
        return Reply("Login Error", 422)
    secret = settings.discourse_connect_provider_secrets.get(urlsplit(target).hostname or "")
    if not fields:
        return Reply("Login Error", 422)
    if secret is None:
        return Reply(NO_SECRET, 400)
    if not hmac.compare_digest(_sign(payload, secret), signature):
        return Reply("Login Error", 422)
    if fields.get("logout") == "true":
        answer = redirect(target, 302)
        answer.headers["Set-Cookie"] = "_t=; path=/; expires=Thu, 01 Jan 1970 00:00:00 GMT"
        return answer
    if call.user is None:
        if fields.get("prompt") == "none" and call.forum.dialect.prompt_none:
            back = _pack(
                {"nonce": fields.get("nonce", ""), "failed": "true", "return_sso_url": target}, secret
            )
            return redirect(f"{target}{'&' if '?' in target else '?'}{back}", 302)
        answer = redirect(f"{call.host_url}/login", 302)
        remembered = quote(urlencode({"sso": payload, "sig": signature}))
        answer.headers["Set-Cookie"] = f"sso_payload={remembered}; path=/"
        return answer
    back = _pack(_identity(call, call.user, fields), secret)
    return redirect(f"{target}{'&' if '?' in target else '?'}{back}", 302)


def _decoded(payload: str) -> dict[str, str]:
    try:
        text = base64.b64decode(payload, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return {}
    return {key: values[0] for key, values in parse_qs(text).items()}


def _sign(payload: str, secret: str) -> str:
    return hmac.new(secret.encode(), payload.encode(), hashlib.sha256).hexdigest()


def _pack(fields: dict[str, str], secret: str) -> str:
    payload = base64.b64encode(urlencode(fields).encode()).decode()
    return urlencode({"sso": payload, "sig": _sign(payload, secret)})


def _identity(call: Call, user: User, asked: dict[str, str]) -> dict[str, str]:
    fields = {
        "admin": "true" if user.admin else "false",
        "moderator": "true" if user.moderator else "false",
        "email": user.email,
        "external_id": str(user.id),
        "groups": ",".join(sorted(g.name for g in call.forum.groups_of(user))),
        "name": user.name or "",
        "nonce": asked.get("nonce", ""),
        "return_sso_url": asked["return_sso_url"],
        "username": user.username,
    }
    return {key: value for key, value in fields.items() if value}


@route("GET", "/login", "connect/login")
def login(call: Call) -> Reply:
    name = call.text("as")
    if name is None:
        return Reply(
            f"<!DOCTYPE html>\n<html><head><title>Log In</title></head><body>{FORM}</body></html>",
            200,
            {},
            HTML_TYPE,
        )
    user = call.forum.user(name)
    if user is None or not user.active:
        raise not_found()
    begun = unquote(call.cookies.get("sso_payload", ""))
    answer = redirect(f"{call.host_url}{PROVIDER}?{begun}" if begun else f"{call.host_url}/", 302)
    answer.headers["Set-Cookie"] = f"_t={user.username}; path=/; HttpOnly; SameSite=Lax"
    return answer
