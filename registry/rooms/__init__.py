"""The rooms: one capability each, from its contract to its commands, under one name."""
