"""The typed, frozen results of the operations, one module per topic."""
