"""The showcase shop as an app of its own, because it has tables of its own."""

from importlib import import_module

from django.apps import AppConfig
from typing_extensions import override


class RetailConfig(AppConfig):
    name = "agents.showcase.retail"
    label = "retail"
    verbose_name = "Retail showcase"

    @override
    def ready(self) -> None:
        # Contracts register themselves; their functions need the models, so not before now.
        import_module("agents.showcase.retail.tools")
