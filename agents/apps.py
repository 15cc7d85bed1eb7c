"""The agents app: the runtime and all it needs to be trusted."""

from importlib import import_module

from django.apps import AppConfig
from typing_extensions import override


class AgentsConfig(AppConfig):
    name = "agents"
    label = "agents"
    verbose_name = "Agents"

    @override
    def ready(self) -> None:
        # Tools register themselves when their module is imported; a worker must know them all.
        import_module("agents.showcase.retail.tools")
        # What was said is shown beside a proposal; approvals knows no runs and asks by its port.
        import_module("agents.runtime.excerpt")
        import_module("agents.runtime.kind").register()
        import_module("agents.controls.outsiders").register()
