"""What is counted of saves, and what is not."""

from resolvers.answers import Answer
from resolvers.saves import Save, Status
from resolvers.tally import Spread, Tally

SAVE = Save("w")


def test_a_value_counts_for_the_first_bound_that_it_is_not_above() -> None:
    spread = Spread((1, 2, 4))
    for value in (0.5, 1, 1.5, 4, 4.5, 100):
        spread.add(value)
    assert (spread.counts, spread.total) == ([2, 1, 1, 2], 111.5)


def test_a_save_counts_for_its_status() -> None:
    tally = Tally()
    tally.save(SAVE, Answer(Status.SAVED, "w", 2), 0.004)
    tally.save(SAVE, Answer(Status.REJECTED, "w", 2), 0.002)
    assert {status: count for status, count in tally.statuses.items() if count} == {
        Status.SAVED: 1,
        Status.REJECTED: 1,
    }
    assert (sum(tally.seconds.counts), tally.seconds.total) == (2, 0.006)


def test_a_replay_is_no_save() -> None:
    tally = Tally()
    tally.save(SAVE, Answer(Status.SAVED, "w", 2, replayed=True), 0.004)
    assert (tally.replays, sum(tally.statuses.values()), sum(tally.seconds.counts)) == (1, 0, 0)


def test_a_dry_run_counts_for_nothing() -> None:
    tally = Tally()
    tally.save(Save("w", dry_run=True), Answer(Status.SAVED, "w", 2), 0.004)
    assert tally == Tally()
