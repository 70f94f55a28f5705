"""The node's side of checkpoints: signing which final blocks its chain has, and gathering cosignatures for that."""
