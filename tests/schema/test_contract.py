"""What clients see is what was promised, and what the printed schema says."""

import re
from pathlib import Path

from graphql import GraphQLObjectType, build_schema, get_named_type, lexicographic_sort_schema, print_schema

from schema.build import schema

ROOT = Path(__file__).parent.parent.parent
PRINTED = ROOT / "schema" / "schema.graphql"
CONTRACT = Path(__file__).parent / "contract.graphql"


def normal(sdl: str) -> list[str]:
    """Print SDL without descriptions and comments, in the order of the alphabet."""
    undescribed = re.sub(r'""".*?"""', "", sdl, flags=re.DOTALL)
    return print_schema(lexicographic_sort_schema(build_schema(undescribed))).splitlines()


def test_the_schema_is_the_contract() -> None:
    assert normal(schema.as_str()) == normal(CONTRACT.read_text())


def test_the_printed_schema_is_up_to_date() -> None:
    is_current = PRINTED.read_text() == schema.as_str() + "\n"
    assert is_current, "Print it again: .venv/bin/workflow-sync schema > schema/schema.graphql"


def test_every_type_leads_to_its_end() -> None:
    """No type contains itself, so that no query can be deeper than the schema is."""
    types = build_schema(PRINTED.read_text()).type_map

    def walk(name: str, path: tuple[str, ...] = ()) -> None:
        assert name not in path, " -> ".join((*path, name))
        if isinstance(type_ := types[name], GraphQLObjectType):
            for field in type_.fields.values():
                walk(get_named_type(field.type).name, (*path, name))

    for root in ("Query", "Mutation", "Subscription"):
        walk(root)


def test_every_operation_says_what_it_does() -> None:
    printed = build_schema(PRINTED.read_text())
    for type_ in (printed.query_type, printed.mutation_type, printed.subscription_type):
        assert type_ is not None
        assert [name for name, field in type_.fields.items() if not field.description] == []
