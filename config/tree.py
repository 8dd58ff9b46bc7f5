"""YAML text → plain data, with the line and column of every key and value.

YAML 1.2, so that `on`, `off`, `yes` and `no` are words. Dates stay text. Anchors, aliases and merge keys
(`<<`) are understood; tags, other documents in the same file and anything but text as a key are not.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode
from ruamel.yaml.reader import ReaderError

from .errors import Fault, SettingsError

Path = tuple[str | int, ...]
"""Keys and list indices from the root down to a value."""

_TAG = "tag:yaml.org,2002:"
_SCALARS = frozenset({"str", "int", "float", "bool", "null", "timestamp"})
_DEEPEST = 40
_MOST = 50_000

# What the parser says → what we say, which quotes nothing of the file: it may be a secret.
_SYNTAX = (
    ("found character '\\t'", "a tab", "Indent with spaces."),
    ("mapping values are not allowed", "a ':' where none may stand",
     "Check the indentation of this line, and put text that contains ': ' in quotes."),
    ("found undefined alias", "an alias (*…) without its anchor", "Put text that begins with * in quotes."),
    ("but found another document", "a second document", "Keep one document in the file."),
    ("found unexpected end of stream", "a quote that is never closed", "Close the quote."),
    ("expected ',' or ']'", "a list that is not closed properly", "Check for a missing comma or ]."),
    ("expected ',' or '}'", "a mapping that is not closed properly", "Check for a missing comma or }."),
    ("expected <block end>", "a line that is indented unlike those it belongs to",
     "Give all keys of a mapping the same indentation."),
    ("could not find expected ':'", "a key without ':'", "Write key: value."),
    ("found unknown escape character", "an unknown escape (\\…) in double quotes", "Use single quotes."),
    ("found character", "a character that cannot begin a value", "Put the text in quotes."),
)  # fmt: skip


@dataclass(slots=True)
class Tree:
    """`data` as dict, list, str, int, float, bool and None; `faults` found on the way, without order."""

    file: str
    data: Any = None
    keys: dict[Path, tuple[int, int]] = field(default_factory=dict)
    values: dict[Path, tuple[int, int]] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)

    def fault(self, path: Path, message: str, hint: str = "", *, at_key: bool = False) -> Fault:
        """A fault at the value (or the key) of `path`, or of the closest thing around it that exists."""
        first, second = (self.keys, self.values) if at_key else (self.values, self.keys)
        for end in range(len(path), -1, -1):
            place = first.get(path[:end]) or second.get(path[:end])
            if place is not None:
                return Fault(self.file, *place, dotted(path), message, hint)
        return Fault(self.file, 0, 0, dotted(path), message, hint)

    def places(self) -> dict[Path, tuple[int, int]]:
        """Line and column of every key, and of every item of a list."""
        return {**self.values, **self.keys}


def dotted(path: Path) -> str:
    """`("policies", "tidy", "do", 0)` → `policies.tidy.do[0]`."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text


def parse(text: str, file: str) -> Tree:
    """Read one document; an empty one gives `data` None. Raises SettingsError for what is not YAML."""
    yaml = YAML(typ="safe", pure=True)
    yaml.composer.warn_double_anchors = False
    try:
        root = yaml.compose(text)
        tree = Tree(file)
        if root is not None:
            tree.data = _Reader(yaml, tree).value(root, (), 0)
    except MarkedYAMLError as error:
        raise SettingsError([_syntax_fault(error, file)]) from None
    except ReaderError as error:
        line, column = place_in(text, error.position)
        fault = Fault(file, line, column, "", "a control character.", "Remove it.")
        raise SettingsError([fault]) from None
    except RecursionError:
        raise SettingsError([Fault(file, 1, 1, "", "nested too deeply.", "Use fewer levels.")]) from None
    except (YAMLError, ValueError, AttributeError, IndexError, KeyError, TypeError, AssertionError):
        # ruamel.yaml meets some malformed directives, tags and escapes with plain Python errors
        fault = Fault(file, 1, 1, "", "this is not YAML.", "Remove %-directives and !-tags.")
        raise SettingsError([fault]) from None
    return tree


def place_in(text: str, offset: int) -> tuple[int, int]:
    """Line and column, from 1, of a character's offset."""
    before = text[:offset]
    return before.count("\n") + 1, offset - (before.rfind("\n") + 1) + 1


def _syntax_fault(error: MarkedYAMLError, file: str) -> Fault:
    mark = error.problem_mark or error.context_mark
    line, column = (mark.line + 1, mark.column + 1) if mark is not None else (0, 0)
    problem = error.problem or ""
    for said, words, hint in _SYNTAX:
        if problem.startswith(said):
            return Fault(file, line, column, "", f"{words}.", hint)
    return Fault(file, line, column, "", "this is not YAML.", "Check the indentation and the quotes here.")


def _place(node: Node) -> tuple[int, int]:
    return node.start_mark.line + 1, node.start_mark.column + 1


def _encodable(text: str) -> bool:
    return not any("\ud800" <= c <= "\udfff" for c in text)


class _Reader:
    def __init__(self, yaml: YAML, tree: Tree) -> None:
        self._yaml = yaml
        self._tree = tree
        self._seen = 0

    def value(self, node: Node, path: Path, depth: int) -> Any:
        self._tree.values[path] = _place(node)
        self._seen += 1
        if depth > _DEEPEST or self._seen > _MOST:
            what = "nested too deeply." if depth > _DEEPEST else "too many values."
            hint = "Look for an anchor that contains itself."
            raise SettingsError([Fault(self._tree.file, *_place(node), "", what, hint)])
        if isinstance(node, MappingNode):
            return self._mapping(node, path, depth)
        if isinstance(node, SequenceNode):
            return [self.value(item, (*path, i), depth + 1) for i, item in enumerate(node.value)]
        return self._scalar(node, path) if isinstance(node, ScalarNode) else None

    def _mapping(self, node: MappingNode, path: Path, depth: int) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key, value, merged in self._pairs(node, path, 0):
            here = (*path, key.value)
            if key.value not in found:
                self._tree.keys[here] = _place(key)
                found[key.value] = self.value(value, here, depth + 1)
            elif not merged:
                self._duplicate(key, here)
        return found

    def _pairs(self, node: MappingNode, path: Path, depth: int) -> Iterator[tuple[ScalarNode, Node, bool]]:
        """Keys and values: those written here first, then those merged in by `<<`, which give way."""
        merges: list[Node] = []
        for key, value in node.value:
            if not isinstance(key, ScalarNode) or not _encodable(key.value):
                self._complain(key, path, "a key must be a word.", "Write key: value.")
            elif str(key.tag) == _TAG + "merge":
                merges += value.value if isinstance(value, SequenceNode) else [value]
            else:
                yield key, value, depth > 0
        for source in merges:
            if isinstance(source, MappingNode) and depth < _DEEPEST:
                yield from self._pairs(source, path, depth + 1)
            else:
                self._complain(source, path, "'<<' takes a mapping.", "Write <<: *name-of-an-anchor.")

    def _scalar(self, node: ScalarNode, path: Path) -> Any:
        kind = str(node.tag).removeprefix(_TAG)
        if kind not in _SCALARS:
            self._complain(node, path, "a YAML tag (!…) means nothing here.", "Put the text in quotes.")
            return ""
        if not _encodable(node.value):
            self._complain(node, path, "half a character (\\ud800…).", "Write the character itself.")
            return ""
        if kind in ("str", "timestamp"):
            return str(node.value)
        try:
            value = self._yaml.constructor.construct_object(node)
        except (ValueError, OverflowError, YAMLError):
            self._complain(node, path, "not a number.", "If it is text, put it in quotes.")
            return 0
        if isinstance(value, float) and not math.isfinite(value):
            self._complain(node, path, "not a finite number.", "If it is text, put it in quotes.")
            return 0
        return value

    def _duplicate(self, key: ScalarNode, path: Path) -> None:
        line, _ = self._tree.keys[path]
        self._complain(
            key, path, f"'{key.value}' stands here for the second time.", f"It is already in line {line}."
        )

    def _complain(self, node: Node, path: Path, message: str, hint: str) -> None:
        self._tree.faults.append(Fault(self._tree.file, *_place(node), dotted(path), message, hint))
