"""The app of proposals, votes and dispatches."""

from django.apps import AppConfig
from typing_extensions import override


class ApprovalsConfig(AppConfig):
    name = "approvals"
    default_auto_field = "django.db.models.BigAutoField"

    @override
    def ready(self) -> None:
        from approvals import kinds, subscribers  # noqa: PLC0415 - they import the models
        from approvals.commands import entrusting, external_kind, gating, governing  # noqa: PLC0415
        from console.accounts import commands as accounts  # noqa: PLC0415
        from console.accounts import consent  # noqa: PLC0415

        accounts.when_people_change("approvals", subscribers.when_people_change)
        kinds.register(external_kind.External())
        kinds.register(kinds.Plans())
        kinds.register(governing.PolicyVersions())
        kinds.register(entrusting.People())
        kinds.register(gating.Gate())
        consent.provide(entrusting.Asking())
