"""The load that strangers can put on a gateway, beside owners who want to get on with their work."""
