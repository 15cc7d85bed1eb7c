"""The widget room: the chat that customers embed in their own sites."""

from django.apps import AppConfig


class WidgetConfig(AppConfig):
    name = "console.widget"
    label = "widget"
