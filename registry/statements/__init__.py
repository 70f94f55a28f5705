"""What owners tell the gateway by signature, off the chain: what is public, and who may ask."""
