"""Trusted Data Registry: provable records of what a dataset was, who owned it and who was allowed to use it.

Import modules by name, for example `registry.rooms.datasets.messages`, so that only what is used is loaded.
"""
