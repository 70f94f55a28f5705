"""Signed notes (C2SP signed-note, tlog-checkpoint) and the checkpoints in them."""
