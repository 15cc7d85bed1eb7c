"""PostgreSQL and Redis from wheels, and the supervisor of `make run`; runs before Django."""
