"""The one way this part says no."""


class CannotStart(Exception):
    """Something outside must change first; the text is one sentence that says what."""
