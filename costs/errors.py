"""Refusals of the meter room."""

from console.kernel.errors import ConsoleError, Refusal


class BadUsage(ConsoleError):
    """Usage that cannot be booked: negative, or without a run, an agent or a model."""

    code = "costs.usage_invalid"
    kind = Refusal.INVALID


class BadRange(ConsoleError):
    """A range of days that cannot be shown."""

    code = "costs.range_invalid"
    kind = Refusal.INVALID


class BadPriceList(ConsoleError):
    """A document that is no list of prices."""

    code = "costs.prices_invalid"
    kind = Refusal.INVALID


class ImplausiblePrice(ConsoleError):
    """A price that looks like a slip of the unit."""

    code = "costs.price_implausible"
    kind = Refusal.CONFLICT
