"""A network of three geth validators under Clique, for tests and for people: `make network`."""
