"""The scenarios that every implementation of the merge is held to."""

from collections import Counter
from copy import deepcopy
from itertools import pairwise

import pytest

from merge import apply, values
from tests.merge import vectors
from tests.merge.vectors import Row, Scenario

SCENARIOS = list(vectors.scenarios())

every_scenario = pytest.mark.parametrize(
    "scenario", [pytest.param(scenario, id=f"{topic}: {scenario['name']}") for topic, scenario in SCENARIOS]
)


@every_scenario
def test_the_saves_become_what_the_scenario_says(scenario: Scenario) -> None:
    played, expected = vectors.play(scenario), scenario["expected"]
    assert played.documents[-1] == expected["document"]
    assert values.equal(played.documents[-1], expected["document"])
    assert ordered(played.conflicts) == ordered(expected["conflicts"])
    assert ordered(played.repairs) == ordered(expected["repairs"])


def ordered(rows: list[Row]) -> list[str]:
    return sorted(values.canonical(row).decode() for row in rows)


@every_scenario
def test_the_changes_of_each_save_lead_from_version_to_version(scenario: Scenario) -> None:
    kept = deepcopy(scenario)
    played = vectors.play(scenario)
    for (before, after), written in zip(pairwise(played.documents), played.saves, strict=True):
        assert values.equal(apply.apply(before, written), after)
    assert repr(scenario) == repr(kept)


def test_there_are_scenarios_of_every_topic_and_each_has_a_name_of_its_own() -> None:
    assert len({topic for topic, _ in SCENARIOS}) >= 15
    assert [name for name, times in Counter(scenario["name"] for _, scenario in SCENARIOS).items() if times > 1] == []


@every_scenario
def test_the_scenario_is_written_as_the_readme_says(scenario: Scenario) -> None:
    assert scenario.keys() == {"name", "base", "saves", "expected"}
    assert scenario["expected"].keys() == {"document", "conflicts", "repairs"}
    for place, save in enumerate(scenario["saves"]):
        assert save.keys() - {"seen"} in ({"by", "state"}, {"by", "changes"})
        assert 0 <= save.get("seen", 0) <= place
    for conflict in scenario["expected"]["conflicts"]:
        assert conflict.keys() - {"base", "theirs", "yours"} == {"save", "path", "winner"}
    for mended in scenario["expected"]["repairs"]:
        assert mended.keys() == {"save", "path", "reason", "removed"}
    assert len({save["by"] for save in scenario["saves"]}) == len(scenario["saves"])
