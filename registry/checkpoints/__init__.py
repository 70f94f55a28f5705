"""The node's side of checkpoints: sign the final blocks of its chain, and collect the witnesses' cosignatures."""
