"""A witness: follows a chain on a node of its own choice, and cosigns what a registry's node says of that chain.

What it signs is one history, upwards: never two blocks for one height, never a smaller height than before, whatever
crashes when. Where somebody's word contradicts what it followed, it keeps both as an alarm.
"""
