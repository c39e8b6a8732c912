"""What a process counts of its saves: plain numbers, cheap where they are raised, read by whoever wants to know."""

from bisect import bisect_left
from dataclasses import dataclass, field

from resolvers.answers import Answer
from resolvers.saves import Save, Status

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
SAVES = (1, 2, 4, 8, 16, 32, 64, 128)


@dataclass(slots=True)
class Spread:
    """How values are spread: how many are not above each of the `bounds`, and in the end those above all."""

    bounds: tuple[float, ...]
    counts: list[int] = field(init=False)
    total: float = 0.0

    def __post_init__(self) -> None:
        self.counts = [0] * (len(self.bounds) + 1)

    def add(self, value: float) -> None:
        """Take in a value."""
        self.counts[bisect_left(self.bounds, value)] += 1
        self.total += value


@dataclass(slots=True)
class Tally:
    """The saves that a process has answered: how long each took, and how many shared a statement."""

    statuses: dict[Status, int] = field(default_factory=lambda: dict.fromkeys(Status, 0))
    replays: int = 0
    conflicts: int = 0
    repairs: int = 0
    seconds: Spread = field(default_factory=lambda: Spread(SECONDS))
    batches: Spread = field(default_factory=lambda: Spread(SAVES))

    def save(self, save: Save, answer: Answer, seconds: float) -> None:
        """Take in a save that is answered; one that is answered again is a replay, and a dry run is none."""
        if save.dry_run:
            return
        if answer.replayed:
            self.replays += 1
            return
        self.statuses[answer.status] += 1
        self.conflicts += len(answer.conflicts)
        self.repairs += len(answer.repairs)
        self.seconds.add(seconds)
