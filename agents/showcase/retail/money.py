"""Money of the shop: US dollars as decimal text with two places outside, integer cents inside.

Never a float: 0.1 + 0.2 would change what a customer pays and what an approval is bound to.
"""

import re
from decimal import ROUND_HALF_UP, Decimal
from typing import Final

PATTERN: Final = r"^-?[0-9]{1,12}\.[0-9]{2}"  # whoever uses it says where the text ends
_DOLLARS: Final = re.compile(PATTERN)
_CENT: Final = Decimal("0.01")


def cents(dollars: str) -> int:
    """Return "12.30" as 1230."""
    if not _DOLLARS.fullmatch(dollars):
        message = "money has to be decimal text with two places"
        raise ValueError(message)
    return int(dollars.replace(".", ""))


def dollars(amount: int) -> str:
    """Return 1230 as "12.30"."""
    sign = "-" if amount < 0 else ""
    whole, part = divmod(abs(amount), 100)
    return f"{sign}{whole}.{part:02d}"


def rounded(amount: Decimal) -> str:
    """Return an exact decimal as text with two places, half up."""
    return f"{amount.quantize(_CENT, rounding=ROUND_HALF_UP):f}"
