"""Pages of the switches."""

from django.urls import path

from agents.controls import views

app_name = "controls"
urlpatterns = [
    path("", views.board, name="board"),
    path("engage/", views.engage, name="engage"),
    path("history/", views.history, name="history"),
    path("<uuid:switch_id>/", views.switch, name="switch"),
    path("<uuid:switch_id>/release/", views.release, name="release"),
]
