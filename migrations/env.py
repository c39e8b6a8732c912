"""How Alembic runs here: over the connection that `db.migrate` hands it, or offline as SQL."""

from alembic import context

from db.models import Base

if context.is_offline_mode():
    context.configure(dialect_name="postgresql", target_metadata=Base.metadata, literal_binds=True)
else:
    context.configure(connection=context.config.attributes["connection"], target_metadata=Base.metadata)

with context.begin_transaction():
    context.run_migrations()
