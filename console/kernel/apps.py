"""Start-up of the floor: the rooms' subscribers, duties and topics are found by file name."""

from importlib import import_module

from django.apps import AppConfig, apps
from django.utils.module_loading import module_has_submodule
from typing_extensions import override

# A page shows another person's vote within half a second, so the outbox is looked at far more
# often. NOTIFY would wake us sooner but takes one lock for all committing transactions of the
# cluster.
RELAY_EVERY_S = 0.05
DISCOVERED = ("events", "topics", "subscribers", "duties")


class KernelConfig(AppConfig):
    name = "console.kernel"
    label = "kernel"

    @override
    def ready(self) -> None:
        import_module("console.kernel.checks")
        import_module("console.celery")  # so that tasks are sent to the configured broker
        discover()
        from console.kernel import pulse, relay  # noqa: PLC0415 - they import the models

        pulse.duty("kernel.relay", every_s=RELAY_EVERY_S)(relay.relay_once)


def discover() -> None:
    """Import the files whose decorators register things; models of all apps are loaded by then."""
    for config in apps.get_app_configs():
        for name in DISCOVERED:
            if config.module is not None and module_has_submodule(config.module, name):
                import_module(f"{config.name}.{name}")
