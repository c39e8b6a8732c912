"""What a way of signing in says about somebody, checked before anything here believes it."""

from datetime import datetime

from resolvers import errors, inputs
from resolvers.context import UserId, Viewer


def viewer(user: object, name: object, expires_at: datetime) -> Viewer:
    """Make a Viewer of what was said. Raises UnauthenticatedError where `user` cannot be the id of one."""
    if not isinstance(user, str):
        raise errors.UnauthenticatedError("These credentials name no user.")
    try:
        user_id = UserId(inputs.text("user id", user, most=inputs.USER_ID_CHARACTERS))
    except errors.BadUserInputError as error:
        raise errors.UnauthenticatedError(str(error)) from error
    return Viewer(user_id, _name(name), expires_at)


def _name(value: object) -> str | None:
    """Give a name that can be shown; one that cannot is no reason to send its bearer away."""
    return value if isinstance(value, str) and value and inputs.is_storable(value) else None
