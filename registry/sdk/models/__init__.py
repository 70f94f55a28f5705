"""The typed, frozen results of the operations that concern no room, and what all results have in common."""
