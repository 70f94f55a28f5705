"""The gateway's routes, one module a room."""
