"""A fake for time."""

from dataclasses import dataclass


@dataclass(slots=True)
class Clock:
    """A time, in seconds, that passes only when it is told to."""

    now: float = 1_000.0

    def __call__(self) -> float:
        return self.now
