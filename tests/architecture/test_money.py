"""Money is exact: no float in a money expression, and an unknown price is never made zero."""

import ast
from pathlib import Path

import pytest

from tests.architecture.tree import name_of, parsed, python_files

# Words that make a name one of money; what is computed with them must be a decimal.
MONEY = ("usd", "price", "rate", "cost", "amount", "factor", "multiplier")


def money_files() -> list[Path]:
    return [path for path in python_files() if name_of(path).startswith("costs/")]


def is_money(node: ast.AST) -> bool:
    name = {ast.Name: "id", ast.Attribute: "attr"}.get(type(node))
    words = str(getattr(node, name)).lower().split("_") if name else []
    return any(word in MONEY for word in words)


def floats(tree: ast.AST) -> list[int]:
    """Return the lines with a float literal, a call of `float`, or a float annotation."""
    return [
        node.lineno
        for node in ast.walk(tree)
        if (isinstance(node, ast.Constant) and isinstance(node.value, float))
        or (isinstance(node, ast.Name) and node.id == "float")
    ]


def zeros_for_unknown(tree: ast.AST) -> list[int]:
    """Return the lines that say `price or 0`: an unknown amount would count as nothing."""
    return [
        node.lineno
        for node in ast.walk(tree)
        if isinstance(node, ast.BoolOp)
        and isinstance(node.op, ast.Or)
        and any(is_money(value) for value in node.values[:-1])
        and _is_zero(node.values[-1])
    ]


def floats_beside_money(tree: ast.AST) -> list[int]:
    """Return the lines where money meets a float literal or `float(...)` in one expression."""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.BinOp):
            sides = (node.left, node.right)
            if any(is_money(side) for side in sides) and any(floats(side) for side in sides):
                found.append(node.lineno)
        elif isinstance(node, ast.Call) and ast.unparse(node.func) == "float":
            found += [node.lineno for arg in node.args if is_money(arg)]
    return found


def _is_zero(node: ast.expr) -> bool:
    if isinstance(node, ast.Call) and node.args:
        return ast.unparse(node.func) == "Decimal" and _is_zero(node.args[0])
    text = ast.unparse(node).strip("'\"")
    return text in {"0", "0.0", "ZERO", "Decimal()", "Decimal(0)"}


class TestCosts:
    def test_hold_no_float(self) -> None:
        assert [
            f"{name_of(path)}:{line}" for path in money_files() for line in floats(parsed(path))
        ] == []


class TestEverywhere:
    def test_money_meets_no_float(self) -> None:
        assert [
            f"{name_of(path)}:{line}"
            for path in python_files()
            for line in floats_beside_money(parsed(path))
        ] == []

    def test_an_unknown_price_is_not_made_zero(self) -> None:
        assert [
            f"{name_of(path)}:{line}"
            for path in python_files()
            if not name_of(path).startswith("tests/")
            for line in zeros_for_unknown(parsed(path))
        ] == []


class TestTheTestItself:
    @pytest.mark.parametrize("line", ["x = cost_usd * 0.5", "x = 1.1 * rate", "x = float(price)"])
    def test_finds_floats(self, line: str) -> None:
        assert floats_beside_money(ast.parse(line)) == [1]

    @pytest.mark.parametrize("line", ["x = cost_usd or 0", "x = line.price or Decimal(0)"])
    def test_finds_zeros(self, line: str) -> None:
        assert zeros_for_unknown(ast.parse(line)) == [1]

    @pytest.mark.parametrize("line", ["x = units or 0", "x = count * 0.5", "x = cost_usd or None"])
    def test_lets_others_pass(self, line: str) -> None:
        tree = ast.parse(line)
        assert floats_beside_money(tree) + zeros_for_unknown(tree) == []
