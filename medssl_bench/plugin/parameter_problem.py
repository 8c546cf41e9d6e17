"""What is wrong with a value that a component is given."""

from __future__ import annotations


class ParameterProblem(Exception):
    """A value that a component does not take; `path` leads to it inside the component's table."""

    def __init__(self, path: tuple[str | int, ...], message: str) -> None:
        super().__init__(message)
        self.path = path
        self.message = message

    @property
    def text(self) -> str:
        """The message with the path before it."""
        return ": ".join(filter(None, (".".join(map(str, self.path)), self.message)))
