"""Changes of documents as clients see them."""

from typing import Self, cast

import strawberry

from merge import changes
from merge.values import Value
from resolvers import errors
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

    def change(self) -> changes.Change:
        """Read a change. Raises BadUserInputError where it is not exactly one of the three."""
        order = None if self.order in (None, strawberry.UNSET) else tuple(self.order or ())
        has_value = self.value is not strawberry.UNSET and not (
            self.value is None and (self.remove or order is not None)
        )
        if has_value + bool(self.remove) + (order is not None) != 1:
            raise errors.BadUserInputError("A change is exactly one of `value`, `remove: true` and `order`.")
        value = cast("Value", self.value) if has_value else changes.ABSENT
        return changes.Change(tuple(self.path), value=value, removal=bool(self.remove), order=order)
