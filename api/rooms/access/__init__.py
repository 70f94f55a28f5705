"""Access over HTTP: grants, requests, and the policy about requests."""
