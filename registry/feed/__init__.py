"""The outbox: what happened, in an order that never changes, for consumers that read by cursor."""
