"""What the chaos run is made of: a proxy that misbehaves, a load, reorganisations, and an oracle."""
