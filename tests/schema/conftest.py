"""The same people as for the resolvers."""

from tests.resolvers.conftest import editor, hub, nobody, owner, saver, snapshot_every, stranger, viewer, workflow

__all__ = ["editor", "hub", "nobody", "owner", "saver", "snapshot_every", "stranger", "viewer", "workflow"]
