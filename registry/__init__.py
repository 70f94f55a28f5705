"""Trusted Data Registry: what a dataset was, who owned it, who might use it, provable to anyone.

Modules are imported by name, for example `registry.rooms.datasets.messages`, so that nothing is loaded that is
not used.
"""
