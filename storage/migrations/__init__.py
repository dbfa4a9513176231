"""The schema's history, forward only, by Alembic."""
