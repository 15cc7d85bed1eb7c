"""Tenants, people, their roles and groups, service keys, sessions and rights on single objects."""
