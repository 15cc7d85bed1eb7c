"""The words of the meter room: classes of tokens and fees, and what a figure rests on."""

from enum import StrEnum


class TokenClass(StrEnum):
    """What a provider bills apart; each class has its own rate."""

    INPUT = "input"  # without anything read from or written to a cache
    WRITE_5M = "write_5m"
    WRITE_1H = "write_1h"
    READ = "read"
    OUTPUT = "output"
    WEB_SEARCH = "web_search"  # a fee per search, never multiplied
    CODE_EXECUTION = "code_execution"  # a fee; unpriced until the provider confirms one


PROMPT_CLASSES = (TokenClass.INPUT, TokenClass.WRITE_5M, TokenClass.WRITE_1H, TokenClass.READ)
FEES = frozenset({TokenClass.WEB_SEARCH, TokenClass.CODE_EXECUTION})


class Factor(StrEnum):
    """Terms of a call that multiply the price of its tokens."""

    BATCH = "batch"
    FAST = "fast"
    US_ONLY = "us_only"


class Basis(StrEnum):
    """What the amount of a usage line rests on."""

    LIST = "list"  # units the provider reported, at the list price of that day
    NO_MODEL = "no_model"  # nothing was called: the deterministic planner or a test script
    UNPRICED = "unpriced"  # used, but no price is known: the amount is unknown, not zero
    UNREPORTED = "unreported"  # the provider did not say how much was used


class GroupBy(StrEnum):
    """What one row of the spend table stands for."""

    AGENT = "agent"
    RUN = "run"
    DAY = "day"


# These answer without a language model, so their calls cost nothing, and that is known.
WITHOUT_MODEL = frozenset({"rules", "scripted"})
