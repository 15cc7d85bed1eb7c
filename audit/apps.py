"""The audit room."""

from importlib import import_module

from django.apps import AppConfig
from typing_extensions import override


class AuditConfig(AppConfig):
    name = "audit"
    label = "audit"
    verbose_name = "Audit trail"

    @override
    def ready(self) -> None:
        import_module("audit.checks")
