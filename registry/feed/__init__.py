"""The outbox: entries in an order that never changes, for consumers that read by cursor."""
