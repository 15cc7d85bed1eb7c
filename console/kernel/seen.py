"""What a page knew of its topics when it was read."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Seen:
    """The newest number of each topic before the page was read; 0 where none is named."""

    ids: tuple[str, ...] = ()  # the things whose topics were looked up, besides those without one
    numbers: Mapping[str, int] = field(default_factory=dict)
