"""The shell: the frame around every room."""

from django.apps import AppConfig


class ShellConfig(AppConfig):
    name = "console.shell"
    label = "shell"
    verbose_name = "Page frame and home"
