"""The load that strangers can put on a gateway, beside the work of honest owners."""
