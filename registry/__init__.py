"""Trusted Data Registry: what a dataset was, who owned it, who might use it, provable to anyone.

The rooms are imported by name (`registry.manifest`, `registry.datasets.messages`, ...), so that nothing is loaded that
is not used.
"""
