"""What several proposals at once may not be."""


def never_in_batch(title: str) -> str:
    """Return the sentence that refuses a proposal which people decide by itself."""
    return f"“{title}” takes a decision of its own; open it and vote on its page."
