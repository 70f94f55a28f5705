"""What everything stands on: values, errors, canonical JSON, hashes. No room, no chain, no database."""
