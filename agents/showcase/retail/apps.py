"""The showcase shop as an app of its own, because it has tables of its own."""

from django.apps import AppConfig
from typing_extensions import override


class RetailConfig(AppConfig):
    name = "agents.showcase.retail"
    label = "retail"
    verbose_name = "Retail showcase"

    @override
    def ready(self) -> None:
        # Contracts register themselves; their functions need the models, so not before now.
        from agents.showcase.retail.spoiling import spoil  # noqa: PLC0415 - as the tools
        from agents.showcase.retail.tools import DOMAIN  # noqa: PLC0415
        from agents.tools import spoiling  # noqa: PLC0415

        spoiling.register(DOMAIN, spoil)
