"""Who asks alike is told from who does not."""

import pytest
from graphql import GraphQLObjectType

from resolvers.context import Context
from schema import listening
from schema.documents import InvalidDocumentError
from schema.listening import Selection
from schema.presence import Presence
from schema.subscriptions import PERSONAL_FIELDS, WorkflowSaved, WorkflowsChanged

SAVED = """
subscription One($id: ID!, $since: Int, $tab: ID, $more: Boolean = false) {
  workflowSaved(id: $id, sinceVersion: $since, exceptClient: $tab) { version ...More @include(if: $more) }
}
subscription Two($id: ID!) { workflowSaved(id: $id) { version } }
fragment More on WorkflowSaved { savedBy }
"""


def asked(context: Context, text: str, name: str | None = None, **variables: object) -> Selection:
    return listening.begin(text, {"id": "w"} | variables, name, context).lens.selection


def test_what_chooses_the_events_makes_no_difference(owner: Context, viewer: Context) -> None:
    assert asked(owner, SAVED, "One") == asked(viewer, SAVED, "One", id="x", since=3, tab="tab")


def test_which_tab_is_there_makes_no_difference(owner: Context, viewer: Context) -> None:
    text = "subscription ($id: ID!, $tab: ID) { presence(id: $id, clientId: $tab) { clientId userId name state at } }"
    assert asked(owner, text, tab="one") == asked(viewer, text, tab="two") == asked(viewer, text)


def test_what_chooses_the_fields_does(owner: Context) -> None:
    plain = asked(owner, SAVED, "One")
    assert plain == asked(owner, SAVED, "One", unknown=1)
    assert len({plain, asked(owner, SAVED, "One", more=True), asked(owner, SAVED, "Two")}) == 3


@pytest.mark.parametrize(
    "text",
    [
        'subscription { workflowSaved(id: "w") { workflow { name } } }',
        'subscription { workflowSaved(id: "w") { other: workflow { name } } }',
        'subscription { ...Saved } fragment Saved on Subscription { workflowSaved(id: "w") { workflow { name } } }',
        "subscription { workflowsChanged { kind workflow { name } } }",
    ],
)
def test_who_asks_makes_a_difference_where_it_is_shown(owner: Context, viewer: Context, text: str) -> None:
    assert asked(owner, text) == asked(owner, text)
    assert asked(owner, text) != asked(viewer, text)


def test_an_argument_inside_makes_a_difference(owner: Context) -> None:
    text = """
    subscription ($first: Int) { workflowSaved(id: "w") { workflow { versions(first: $first) { __typename } } } }
    """
    assert asked(owner, text, first=1) != asked(owner, text, first=2)


def test_of_every_field_it_is_known_whether_it_depends_on_who_asks() -> None:
    """A new field belongs into one of the two sets."""
    same_for_all = {"id", "version", "changes", "conflicts", "repairs", "state", "savedBy", "savedAt", "clientId"}
    same_for_all |= {"reason", "kind", "by", "at", "userId", "name"}
    for shape in (WorkflowSaved, WorkflowsChanged, Presence):
        type_ = listening.CORE.type_map[shape.__name__]
        assert isinstance(type_, GraphQLObjectType)
        assert set(type_.fields) <= same_for_all | PERSONAL_FIELDS


@pytest.mark.parametrize(
    ("text", "variables"),
    [
        ("subscription {", {}),
        ("subscription { nowhere }", {}),
        ("subscription ($id: ID!) { workflowSaved(id: $id) { version } }", {}),
        ("subscription ($id: ID!) { workflowSaved(id: $id) { version } }", {"id": {}}),
    ],
)
def test_what_cannot_be_run_is_refused(owner: Context, text: str, variables: dict[str, object]) -> None:
    with pytest.raises(InvalidDocumentError) as refusal:
        listening.begin(text, variables, None, owner)
    assert refusal.value.reasons
