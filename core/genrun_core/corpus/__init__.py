"""From sources to token shards: reading, counting, caching, reporting."""
