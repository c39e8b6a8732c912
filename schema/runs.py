"""One operation under way: values are found, put into their places in the answer, and errors null what they must."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias, cast

from graphql import FieldNode, GraphQLError, GraphQLSchema, located_error
from graphql.execution.values import VariableValues

from resolvers.context import Context
from schema.context import Info

Nodes: TypeAlias = list[FieldNode]  # whatever asks for one field
Found: TypeAlias = Any  # what a resolver gave
Holder: TypeAlias = Any  # an object or a list of the answer
Key: TypeAlias = Any  # in a holder


@dataclass(slots=True)
class Place:
    """Where a value stands in the answer. It is gone when an error has made it null."""

    holder: Holder
    key: Key
    above: "Place | None"
    nullable: bool
    gone: bool = False

    def path(self) -> list[str | int]:
        """Say how one gets here from the root, which has no key of its own."""
        return [place.key for place in self.way_up()][-2::-1]

    def way_up(self) -> Iterator["Place"]:
        """Give this place, and all that it is part of."""
        place: Place | None = self
        while place is not None:
            yield place
            place = place.above


class Type(Protocol):
    """What may stand in a place."""

    nullable: bool

    def put(self, run: "Run", nodes: Nodes, found: Found, holder: Holder, key: Key, above: Place) -> None:
        """Put what was found, and what is selected of it, into the answer."""


@dataclass(slots=True)
class Leaf:
    """A scalar or an enum."""

    nullable: bool
    show: Callable[[Any], Any]

    def put(self, run: "Run", nodes: Nodes, found: Found, holder: Holder, key: Key, above: Place) -> None:
        """Put a value as it is shown."""
        try:
            holder[key] = shown = None if found is None else self.show(found)
        except Exception as error:  # noqa: BLE001 -- it is told in the answer
            run.fail(error, nodes, Place(holder, key, above, self.nullable))
            return
        if shown is None and not self.nullable:
            run.fail(_missing(nodes), nodes, Place(holder, key, above, nullable=False))


@dataclass(slots=True)
class List:
    """Several of a type."""

    nullable: bool
    item: Type

    def put(self, run: "Run", nodes: Nodes, found: Found, holder: Holder, key: Key, above: Place) -> None:
        """Put each item."""
        holder[key] = None
        place = Place(holder, key, above, self.nullable)
        if found is None:
            if not self.nullable:
                run.fail(_missing(nodes), nodes, place)
            return
        items: list[Any] = [None] * len(found)
        holder[key] = items
        for index, item in enumerate(found):
            self.item.put(run, nodes, item, items, index, place)


@dataclass(slots=True)
class Object:
    """Several fields."""

    nullable: bool
    fields: tuple["Field | Attribute", ...]

    def put(self, run: "Run", nodes: Nodes, found: Found, holder: Holder, key: Key, above: Place) -> None:
        """Put each field; those that must be waited for keep their place."""
        holder[key] = None
        place = Place(holder, key, above, self.nullable)
        if found is None:
            if not self.nullable:
                run.fail(_missing(nodes), nodes, place)
            return
        members: dict[str, Any] = {}
        holder[key] = members
        for field in self.fields:
            field.put(run, found, members, place)


@dataclass(slots=True)
class Field:
    """One field, whatever `nodes` ask for it. `resolve` gives its value, or what must be awaited for that."""

    key: str
    nodes: Nodes
    resolve: Callable[["Run", Any], Any]
    is_async: bool
    type: Type

    def put(self, run: "Run", source: Found, holder: Holder, above: Place) -> None:
        """Find the value, and put it into the answer, now or later."""
        try:
            found = self.resolve(run, source)
        except Exception as error:  # noqa: BLE001 -- it is told in the answer
            run.fail(error, self.nodes, Place(holder, self.key, above, self.type.nullable))
            return
        if self.is_async:
            holder[self.key] = None
            run.pending.append(Pending(self, found, holder, above))
        else:
            self.type.put(run, self.nodes, found, holder, self.key, above)


@dataclass(slots=True)
class Attribute:
    """The commonest field: a leaf that its object simply has. Where it `is_text`, a str is shown as it is."""

    key: str
    nodes: Nodes
    find: Callable[[Found], Found]
    leaf: Leaf
    is_text: bool

    def put(self, run: "Run", source: Found, holder: Holder, above: Place) -> None:
        """Find the value, and put it into the answer."""
        try:
            found = self.find(source)
        except Exception as error:  # noqa: BLE001 -- it is told in the answer
            run.fail(error, self.nodes, Place(holder, self.key, above, self.leaf.nullable))
            return
        if self.is_text and type(found) is str:
            holder[self.key] = found
        else:
            self.leaf.put(run, self.nodes, found, holder, self.key, above)


@dataclass(slots=True)
class Pending:
    """The value of a field, which is awaited."""

    field: Field
    value: Awaitable[Any]
    holder: Holder
    above: Place

    async def settle(self, run: "Run") -> None:
        """Await it, and put it into the answer."""
        field = self.field
        try:
            found = await self.value
        except Exception as error:  # noqa: BLE001 -- it is told in the answer
            run.fail(error, field.nodes, Place(self.holder, field.key, self.above, field.type.nullable))
        else:
            field.type.put(run, field.nodes, found, self.holder, field.key, self.above)


def _missing(nodes: Nodes) -> TypeError:
    return TypeError(f"Cannot return null for non-nullable field {nodes[0].name.value}.")


class Run:
    """One operation under way. Fields of the schema itself are handed this, too: they ask it for `schema`."""

    def __init__(self, schema: GraphQLSchema, context: Context | None, variables: VariableValues) -> None:
        self.schema = schema
        self.context = context
        self.variables = variables
        self.info = Info(_raw_info=cast("Any", self), _field=cast("Any", None))  # resolvers take `context` from it
        self.errors: list[GraphQLError] = []
        self.pending: list[Pending] = []

    async def execute(self, root: Object, *, serially: bool) -> dict[str, Any] | None:
        """Find everything that is selected; one root field after the other, or all together."""
        answer: dict[str, Any] = {"data": {}}
        place = Place(answer, "data", None, nullable=True)
        for field in root.fields:
            field.put(self, None, answer["data"], place)
            if serially:
                await self._settle()
                if place.gone:
                    break
        await self._settle()
        return answer["data"]  # type: ignore[no-any-return]

    async def _settle(self) -> None:
        """Await what is pending, what that leads to, and so on; what is pending at the same time waits together."""
        while self.pending:
            pending, self.pending = self.pending, []
            if len(pending) == 1:
                await pending[0].settle(self)
            else:
                await asyncio.gather(*(each.settle(self) for each in pending))

    def fail(self, error: Exception, nodes: Nodes, place: Place) -> None:
        """Note an error, and make null the nearest place that may be. One that is gone already has told why."""
        way_up = list(place.way_up())
        if any(each.gone for each in way_up):
            return
        self.errors.append(located_error(error, nodes, place.path()))
        null = next(each for each in way_up if each.nullable)  # the root is
        null.holder[null.key] = None
        null.gone = True
