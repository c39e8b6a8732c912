"""What collided, what was repaired, what was refused, as clients see it."""

from datetime import datetime
from enum import StrEnum
from typing import Self

import strawberry

from merge import values
from schema.scalars import JSON


@strawberry.enum(description="Whose value.")
class Side(StrEnum):
    YOURS = "YOURS"
    THEIRS = "THEIRS"
    BASE = "BASE"


@strawberry.type(description="A value that two saves gave differently. `yours` is the save that met the conflict.")
class Conflict:
    id: strawberry.ID | None
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


@strawberry.type(description="What was taken out so that the graph is sound.")
class Repair:
    path: list[str]
    reason: str
    removed: JSON | None


@strawberry.type(description="Why a save was REJECTED, and where in the document.")
class Problem:
    path: list[str]
    code: str
    message: str

    @classmethod
    def of(cls, problem: values.Problem) -> Self:
        """Show a problem."""
        return cls(path=list(problem.path), code=problem.code, message=problem.message)
