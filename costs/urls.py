"""Pages of the meter room."""

from django.urls import path

from costs import views

app_name = "costs"
urlpatterns = [
    path("", views.spend, name="spend"),
    path("figure.json", views.figure, name="figure"),
    path("spend.csv", views.export, name="export"),
]
