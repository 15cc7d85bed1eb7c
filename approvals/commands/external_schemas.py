"""What the arguments of an outside agent's tool look like, where people registered a schema."""

from collections.abc import Mapping
from typing import Any

from approvals.errors import DoesNotFit
from approvals.policies.schemas import misfits
from approvals.queries.external import schema_of
from console.kernel.actors import Actor


def require_fits(actor: Actor, tool: str, args: Mapping[str, Any]) -> None:
    """Raise if a tool has a schema that these arguments do not fit.

    Raises:
        DoesNotFit: `fields` has JSON pointers.
    """
    schema = schema_of(actor=actor, tool=tool)
    wrong = misfits(schema, args) if schema is not None else {}
    if wrong:
        pointer, sentence = next(iter(wrong.items()))
        raise DoesNotFit(
            f"Arguments{pointer and f' at {pointer}'}: {sentence} Correct it and send it again.",
            fields=wrong,
        )
