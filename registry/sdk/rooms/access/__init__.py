"""Access in the client: grants, requests, and whether a gateway accepts them."""
