"""Pages of accounts: signing in, one's own sessions, people, service keys."""
