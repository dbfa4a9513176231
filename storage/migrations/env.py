"""Runs migrations on the connection that ``storage.migration`` hands in."""

from typing import Literal

from alembic import context
from sqlalchemy.types import TypeDecorator, TypeEngine

from storage.schema import metadata


def _plain_type(kind: str, thing: object, _context: object) -> str | Literal[False]:
    """Revisions name the database's own types: ours may change their meaning later, a released revision may not."""
    if kind == "type" and isinstance(thing, TypeDecorator):
        plain = thing.impl_instance if isinstance(thing.impl, type) else thing.impl
        return f"sa.{plain!r}" if isinstance(plain, TypeEngine) else False
    return False


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,
    render_item=_plain_type,
    compare_type=True,
)
context.run_migrations()
