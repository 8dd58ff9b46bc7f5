"""Faults that know where below a value they lie; validators of settings raise them."""

from __future__ import annotations


class PlacedError(ValueError):
    """A fault at a key below the value being validated, with a hint.

    `path` leads from that value to the key: `("any", 0, "posts")`. `at_key`: the key itself is wrong,
    not what it holds. `message` ends with a full stop and quotes nothing that could be a secret.
    """

    def __init__(
        self, message: str, *, path: tuple[str | int, ...] = (), hint: str = "", at_key: bool = False
    ) -> None:
        super().__init__(message)
        self.message = message
        self.path = path
        self.hint = hint
        self.at_key = at_key


class PlacedErrors(ValueError):
    """Several faults found in one value at once."""

    def __init__(self, errors: list[PlacedError]) -> None:
        super().__init__(" ".join(error.message for error in errors))
        self.errors = errors
