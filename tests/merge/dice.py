"""Choices read off random bytes: for thousands of examples of what takes dozens of choices each.

Hypothesis draws the bytes in one go, which costs a hundredth of drawing each choice, and still shrinks what fails.
"""

from collections.abc import Sequence
from typing import TypeVar

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

Option = TypeVar("Option")


class Dice:
    """Choices one after the other; when the bytes are used up, the first option each time."""

    def __init__(self, data: bytes) -> None:
        self._bytes = iter(data)

    def number(self, below: int) -> int:
        return next(self._bytes, 0) % below

    def pick(self, options: Sequence[Option]) -> Option:
        return options[self.number(len(options))]

    def sample(self, options: Sequence[Option], most: int) -> list[Option]:
        """Pick a few, of which some may be the same."""
        return [self.pick(options) for _ in range(self.number(most + 1))]

    def shuffled(self, items: Sequence[Option]) -> list[Option]:
        left, found = list(items), []
        while left:
            found.append(left.pop(self.number(len(left))))
        return found


def dice(choices: int) -> SearchStrategy[Dice]:
    """Draw dice for about so many choices."""
    return st.binary(min_size=choices // 2, max_size=choices * 3 // 2).map(Dice)
