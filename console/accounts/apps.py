"""Start-up of accounts: fill the ports of the floor."""

from importlib import import_module

from django.apps import AppConfig
from typing_extensions import override


class AccountsConfig(AppConfig):
    name = "console.accounts"
    label = "accounts"

    @override
    def ready(self) -> None:
        from console.accounts import middleware, queries  # noqa: PLC0415 - they import the models
        from console.kernel import live, rest, tenancy  # noqa: PLC0415

        import_module("console.accounts.checks")
        tenancy.set_directory(queries.tenant_ids)
        live.set_actor_of_scope(middleware.actor_of_scope)
        rest.set_actor_of_key(middleware.actor_of_key)
