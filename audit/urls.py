"""Addresses of the trail."""

from django.urls import path

from audit import views

app_name = "audit"

urlpatterns = [
    path("", views.explorer, name="explorer"),
    path("bundle/", views.bundle, name="bundle"),
    path("executed/", views.executed, name="executed"),
    path("watch/", views.watch, name="watch"),
    path("<int:index>/", views.entry, name="entry"),
]
