"""From Redis to many viewers: one reader, each message encoded once, the newest for those who are slow."""
