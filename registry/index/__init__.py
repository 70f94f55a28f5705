"""The index: what the canonical chain says, in tables that can be asked. It can be thrown away and made again."""
