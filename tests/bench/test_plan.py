"""Which runs there are."""

from bench import plan


def test_systems_take_turns_in_each_run() -> None:
    order = [session.system.name for session in plan.sessions(["ours", "seed"], ["whole"], ["34"], runs=2)]

    assert order == ["ours", "seed", "ours", "seed"]


def test_a_system_is_asked_only_for_what_it_does() -> None:
    sessions = plan.sessions(["ours", "floor", "hocuspocus"], ["whole", "delta"], ["34"], runs=1)

    assert [(session.system.name, session.workloads) for session in sessions] == [
        ("ours", ("whole", "delta")),
        ("floor", ("whole",)),
    ]


def test_a_workload_has_usual_sizes_unless_others_are_asked_for() -> None:
    assert plan.usual("read", ["9", "34", "174"]) == ["9", "174"]
    assert plan.usual("read", ["34"]) == ["34"]
    assert plan.usual("whole", ["34", "174"]) == ["34", "174"]
