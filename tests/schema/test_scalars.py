"""JSON passes through untouched, as a variable or as a literal in the text."""

import pytest

from resolvers import workflows
from resolvers.workflows import HeadPage
from schema.build import schema

LITERAL = "{ workflows(containing: %s) { pageInfo { endCursor } } }"


@pytest.fixture
def taken(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """What arrives behind the schema."""
    values: list[object] = []

    async def page(*_: object, containing: object, **__: object) -> HeadPage:
        values.append(containing)
        return HeadPage([], has_next=False)

    monkeypatch.setattr(workflows, "page", page)
    return values


async def run(text: str, **variables: object) -> None:
    result = await schema.run(text, variables)
    assert not result.errors


@pytest.mark.parametrize(
    "value",
    [
        {"a": {"b": [1, 2.5, True, None, "é🦊"]}, "": {"__proto__": {}}},
        {"n": 2**53 + 1},
        {"n": 2**64},
        {"n": 1e308},
        [],
        "text",
        0,
        False,
        {"nul": "\0", "half": "\ud800"},
    ],
)
async def test_a_variable_arrives_as_it_is(taken: list[object], value: object) -> None:
    await run("query ($v: JSON) { workflows(containing: $v) { pageInfo { endCursor } } }", v=value)
    assert taken[0] is value


@pytest.mark.parametrize(
    ("literal", "value"),
    [
        ("{}", {}),
        ("[]", []),
        ("null", None),
        ("true", True),
        ("MANUAL", "MANUAL"),
        ('"é \\u{1F98A} \\n"', "é 🦊 \n"),
        ('"""\n  a\n    b\n"""', "a\n  b"),
        ("0", 0),
        ("-1", -1),
        ("1.0", 1.0),
        ("1e3", 1000.0),
        ("9007199254740993", 2**53 + 1),
        ("18446744073709551616", 2**64),
        ("1.7976931348623157e308", 1.7976931348623157e308),
        ("1e999", float("inf")),
        ('{a: {b: [1, {c: null}]}, __proto__: "x"}', {"a": {"b": [1, {"c": None}]}, "__proto__": "x"}),
    ],
)
async def test_a_literal_means_what_it_says(taken: list[object], literal: str, value: object) -> None:
    await run(LITERAL % literal)
    assert taken == [value]
    assert type(taken[0]) is type(value)


async def test_variables_may_stand_inside_a_literal(taken: list[object]) -> None:
    text = """
    query ($a: JSON, $b: Int = 2, $c: [ID!], $absent: JSON, $null: JSON, $reason: SaveReason) {
      workflows(containing: {a: $a, list: [$b, $absent, {c: $c}], gone: $absent, null: $null, reason: $reason}) {
        pageInfo { endCursor }
      }
    }
    """
    await run(text, a={"deep": [1]}, c=["x", 1], null=None, reason="UNDO")
    assert taken == [{"a": {"deep": [1]}, "list": [2, None, {"c": ["x", "1"]}], "null": None, "reason": "UNDO"}]


@pytest.mark.parametrize("literal", ["{a: 1, a: 2}", "{a: $unknown}", "01", "{a:", '"\\x"', "NaN.5"])
async def test_what_is_no_literal_is_refused(literal: str) -> None:
    assert schema.document(LITERAL % literal).errors
