"""A witness: follows a chain on a node of its own choice, and cosigns the checkpoints of registries' nodes.

It signs one history in ascending order: never two blocks for one height and never a smaller height than before, after
any crash. If a checkpoint contradicts the blocks that it followed, it stores both statements as an alarm.
"""
