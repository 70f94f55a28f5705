"""Owners' keys: stored encrypted in a folder and used to sign messages. They never leave the owner's machine."""
