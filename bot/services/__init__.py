"""The music world: what a service can do, and the adapters that do it."""
