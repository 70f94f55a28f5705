"""The load that strangers can put on a gateway, alongside the work of honest owners."""
