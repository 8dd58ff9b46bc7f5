"""Foreign text as HTML that can do nothing: no markup of its own, no pictures, no scripts."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from markdown_it.utils import EnvType, OptionsDict
from markupsafe import Markup, escape

from ....connectors.base import Platform
from ....connectors.records import Ref
from ..show import visible
from .wikitext import Rendered, render


class _Renderer(RendererHTML):
    """Pictures are named instead of shown: the page asks no other host for anything."""

    def image(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        label = self.renderInlineAsText(tokens[idx].children or [], options, env)
        source = str(tokens[idx].attrGet("src") or "")
        return str(escape(f"[picture: {label or source}]"))

    def link_open(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        tokens[idx].attrSet("rel", "noopener noreferrer nofollow")
        return self.renderToken(tokens, idx, options, env)


# Line breaks stay, as Discourse keeps them; HTML is shown as text.
_MARKDOWN = MarkdownIt(
    "commonmark", {"html": False, "breaks": True}, renderer_cls=_Renderer
).enable(["table", "strikethrough"])


def markdown(text: str) -> Markup:
    """Roughly what a forum makes of it."""
    return Markup(_MARKDOWN.render(visible(text)))  # noqa: S704 (the renderer escapes all that it is given)


def wikitext(text: str, platform: Platform) -> Rendered:
    """Roughly what a wiki makes of it."""

    def address(title: str) -> str:
        url = platform.url(Ref(platform.site, "title", title))
        return url if is_web(url) else ""

    return render(text, address)


def untouched(text: str) -> Markup:
    """For text fields: escaped, and nothing made visible, since it comes back as it was sent."""
    return escape(text)


def finalize(value: Any) -> Any:
    """For every expression of a template: foreign characters that command are shown instead of obeyed."""
    return visible(value) if isinstance(value, str) and not hasattr(value, "__html__") else value


def changes(before: str, after: str) -> list[tuple[str, str]]:
    """Lines with their sign: "+", "-", " ", and "@" where lines are left out."""
    old, new = before.rstrip("\n").split("\n"), after.rstrip("\n").split("\n")
    lines = list(difflib.unified_diff(old, new, n=2, lineterm=""))[2:]
    return [("@", "⋯") if line.startswith("@@") else (line[0], line[1:]) for line in lines]


def is_web(url: str) -> bool:
    """Whether it may stand in a link."""
    return url.startswith(("https://", "http://"))
