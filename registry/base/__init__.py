"""Values, errors, canonical JSON and hashes that every other package uses. It knows no room, chain or database."""
