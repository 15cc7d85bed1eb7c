"""Addresses of the shell."""

from django.urls import path

from console.shell import views

app_name = "shell"
urlpatterns = [
    path("", views.home, name="home"),
    path("frame/", views.frame, name="frame"),
    path("find/", views.find, name="find"),
    path("theme/", views.theme, name="theme"),
    path("keyboard/", views.keyboard, name="keyboard"),
    path("manual/", views.manual, name="manual"),
    path("manual/words/", views.words, name="words"),
    path("manual/<slug:slug>/", views.manual, name="manual-page"),
    path("assets/<slug:digest>.css", views.stylesheet, name="stylesheet"),
    path("healthz", views.healthz, name="healthz"),
    path("readyz", views.readyz, name="readyz"),
]
