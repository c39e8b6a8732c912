"""Who has a workflow open, as clients see it."""

from datetime import datetime
from typing import Self

import strawberry

from db.rooms import Gathering, Look, Place
from resolvers.saves import Text
from schema.scalars import JSON


@strawberry.type(description="Somebody who has a workflow open: one tab of one user.")
class Presence:
    client_id: strawberry.ID
    user_id: strawberry.ID
    name: str | None
    state: JSON | None = strawberry.field(description="What this tab said with `setPresence`; null before.")
    at: datetime = strawberry.field(description="When it said that; before, when it came.")

    @classmethod
    def of(cls, place: Place, look: Look) -> Self:
        """Show a tab."""
        _, user, client = place
        return cls(
            client_id=strawberry.ID(client),
            user_id=strawberry.ID(user),
            name=look.name,
            state=JSON(Text(bytes(look.state))),
            at=look.at,
        )


def everybody(gathering: Gathering) -> list[Presence]:
    """Show all who are there."""
    return [Presence.of(place, look) for place, look in gathering.tabs]
