"""Alembic's scripts: each release's changes to the tables, the oldest first."""
