"""What happened and who did it, in a log that nobody can rewrite."""
