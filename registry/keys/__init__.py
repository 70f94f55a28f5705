"""Owners' keys: kept encrypted in a folder, and used to sign messages. They never leave the machine of their owner."""
