"""Numbers, + - * / and parentheses: a parser of its own, since evaluating text is running code."""

import re
from collections.abc import Iterator
from decimal import Context, Decimal, InvalidOperation, localcontext
from typing import Final

from agents.showcase.retail import money
from agents.showcase.retail.refusals import refused

LONGEST: Final = 200  # characters
DEEPEST: Final = 20  # parentheses and signs
_EXACT: Final = Context(prec=40, Emax=40, Emin=-40)
_TOKEN: Final = re.compile(r"\s*(?:(?P<number>[0-9]+(?:\.[0-9]+)?|\.[0-9]+)|(?P<sign>[-+*/()]))")


def calculate(expression: str) -> str:
    """Return the value with two places, half up, as in "3131.10".

    Raises:
        ToolRefused: it is no arithmetic, too long, too deep, too large, or divides by zero.
    """
    if len(expression) > LONGEST:
        raise refused("retail.not_arithmetic")
    with localcontext(_EXACT):
        try:
            return money.rounded(_Parser(expression).whole())
        except (InvalidOperation, ArithmeticError, _Misfit) as error:
            raise refused("retail.not_arithmetic") from error


class _Misfit(Exception):
    """The text is no arithmetic."""


class _Parser:
    """Recursive descent: a sum of products of signed numbers or parentheses."""

    def __init__(self, text: str) -> None:
        self.tokens = [*_tokens(text), ""]
        self.depth = 0

    def whole(self) -> Decimal:
        value = self._sum()
        if self.tokens[0]:
            raise _Misfit
        return value

    def _sum(self) -> Decimal:
        value = self._product()
        while self.tokens[0] in ("+", "-"):
            sign = self.tokens.pop(0)
            value = value + self._product() if sign == "+" else value - self._product()
        return value

    def _product(self) -> Decimal:
        value = self._factor()
        while self.tokens[0] in ("*", "/"):
            sign = self.tokens.pop(0)
            value = value * self._factor() if sign == "*" else value / self._factor()
        return value

    def _factor(self) -> Decimal:
        self.depth += 1
        if self.depth > DEEPEST:
            raise _Misfit
        value = self._signed(self.tokens.pop(0))
        self.depth -= 1
        return value

    def _signed(self, token: str) -> Decimal:
        match token:
            case "-":
                return -self._factor()
            case "+":
                return self._factor()
            case "(":
                value = self._sum()
                if self.tokens.pop(0) != ")":
                    raise _Misfit
                return value
            case "" | ")" | "*" | "/":
                raise _Misfit
            case number:
                return Decimal(number)


def _tokens(text: str) -> Iterator[str]:
    rest = text.rstrip()
    while rest:
        found = _TOKEN.match(rest)
        if found is None:
            raise _Misfit
        yield found.group().strip()
        rest = rest[found.end() :]
