"""The rules that random histories are played under."""

from typing import Any, Final

from tests.approvals.letters import TOOL
from tests.approvals.policies.rules import FINANCE, rule, when

# One of them speaks at a time, or none.
RULES: Final = {
    "finance": rule("finance-too", "hold", match={"tool": TOOL}, require=FINANCE),
    "deny": rule("never", "deny", match={"tool": TOOL}),
}
# The city of a letter says what becomes of it if nobody decides.
FALLBACKS: Final = ("refuse", "return", "park", "escalate", "approve", "approve")


def _if_nobody_decides(said: str) -> dict[str, Any]:
    tier = {"tier": 1} if said == "approve" else {}
    city = when("/args/address/city", "eq", said)
    match = {"tool": TOOL, **tier}
    return rule(said, "hold", match=match, when={"all": [city]}, on_expiry=said)


IF_NOBODY_DECIDES: Final = [
    _if_nobody_decides(said) for said in ("return", "park", "escalate", "approve")
]
