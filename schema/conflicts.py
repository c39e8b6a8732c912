"""What collided, what was repaired, what was refused, as clients see it."""

from datetime import datetime
from typing import Self

import strawberry

from db import conflicts
from merge import repair, values
from merge.three_way import Side
from schema.scalars import JSON

strawberry.enum(Side, description="Whose value.")


@strawberry.type(
    description="A value that two saves gave differently; with an empty path, a whole payload that could not be "
    "written. `yours` is the save that met the conflict."
)
class Conflict:
    id: strawberry.ID | None = strawberry.field(description="What `resolveConflict` takes; null where nothing is kept.")
    path: list[str]
    base: JSON | None
    base_absent: bool
    theirs: JSON | None
    theirs_absent: bool
    yours: JSON | None
    yours_absent: bool
    winner: Side
    yours_by: strawberry.ID
    theirs_by: strawberry.ID
    theirs_at: datetime
    theirs_version: int

    @classmethod
    def of(cls, conflict: conflicts.Conflict) -> Self:
        """Show a conflict."""
        sides = conflict.sides
        return cls(
            id=strawberry.ID(str(conflict.id)) if conflict.id is not None else None,
            path=list(conflict.path),
            base=sides.get("base"),
            base_absent="base" not in sides,
            theirs=sides.get("theirs"),
            theirs_absent="theirs" not in sides,
            yours=sides.get("yours"),
            yours_absent="yours" not in sides,
            winner=Side(conflict.winner),
            yours_by=strawberry.ID(conflict.yours_by),
            theirs_by=strawberry.ID(conflict.theirs_by),
            theirs_at=conflict.theirs_at,
            theirs_version=conflict.theirs_version,
        )


@strawberry.type(description="What was taken out so that the graph is sound.")
class Repair:
    path: list[str]
    reason: str = strawberry.field(
        description="END_MISSING: an edge whose end is gone. DUPLICATE: an edge that two saves added. "
        "MEMBER_MISSING: a member of a loop or parallel that is gone."
    )
    removed: JSON | None

    @classmethod
    def of(cls, found: repair.Repair) -> Self:
        """Show a repair."""
        return cls(path=list(found.path), reason=found.reason, removed=JSON(found.removed))


@strawberry.type(description="Why a save was REJECTED, and where in the document.")
class Problem:
    path: list[str]
    code: str
    message: str

    @classmethod
    def of(cls, problem: values.Problem) -> Self:
        """Show a problem."""
        return cls(path=list(problem.path), code=problem.code, message=problem.message)
