"""The parts of the chaos run: a misbehaving proxy, a load, reorganisations, and an oracle."""
