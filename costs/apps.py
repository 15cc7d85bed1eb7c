"""The meter room: money spent."""

from django.apps import AppConfig


class CostsConfig(AppConfig):
    name = "costs"
    label = "costs"
