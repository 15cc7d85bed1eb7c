"""Addresses of runs, under /runs/."""

from django.urls import path

from agents.views import runs

app_name = "runs"
urlpatterns = [
    path("", runs.listing, name="list"),
    path("<uuid:run_id>/", runs.detail, name="detail"),
    path("<uuid:run_id>/cancel/", runs.cancel, name="cancel"),
    path("<uuid:run_id>/calls/<uuid:call_id>/reconcile/", runs.reconcile, name="reconcile"),
    path(
        "<uuid:run_id>/handoff/<uuid:conversation_id>/close/",
        runs.close_handoff,
        name="close-handoff",
    ),
    path(
        "<uuid:run_id>/handoff/<uuid:conversation_id>/reply/",
        runs.reply,
        name="reply",
    ),
]
