"""Why a message did not leave, as a word of ours."""


class NotSent(Exception):
    """The other side did not take it."""

    def __init__(self, error: str, *, final: bool = False) -> None:
        super().__init__(error)
        self.error = error
        self.final = final  # sending it again would be refused again
