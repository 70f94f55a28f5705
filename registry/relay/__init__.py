"""The relay: from an acknowledged message to a final transaction, through every crash on the way."""
