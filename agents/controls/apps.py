"""The switches as an app of their own: their tables are not the runtime's."""

from django.apps import AppConfig


class ControlsConfig(AppConfig):
    name = "agents.controls"
    label = "controls"
