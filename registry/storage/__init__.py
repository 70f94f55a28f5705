"""The database: one interface to SQLite and PostgreSQL. Each package defines its own tables."""

from registry.storage.engine import Storage, open_storage
from registry.storage.errors import StorageFull, StorageUnavailable
from registry.storage.migrate import create_tables_of_others, migrate

__all__ = ["Storage", "StorageFull", "StorageUnavailable", "create_tables_of_others", "migrate", "open_storage"]
