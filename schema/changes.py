"""Changes of documents as clients see them."""

from typing import Self

import strawberry

from merge import changes
from schema.scalars import JSON


@strawberry.type(
    description="One change: exactly one of a new value, a removal, or a new order of the keyed list at the path."
)
class Change:
    path: list[str]
    value: JSON | None
    remove: bool
    order: list[str] | None

    @classmethod
    def of(cls, change: changes.Change) -> Self:
        """Show one change."""
        return cls(
            path=list(change.path),
            value=None if change.value is changes.ABSENT else JSON(change.value),
            remove=change.removal,
            order=None if change.order is None else list(change.order),
        )


@strawberry.input(
    description="One change: exactly one of `value` (null is a value), `remove: true`, or `order`: the ids of the "
    "keyed list at `path`, in their new order."
)
class ChangeInput:
    path: list[str]
    value: JSON | None = strawberry.UNSET
    remove: bool | None = False
    order: list[str] | None = strawberry.UNSET
