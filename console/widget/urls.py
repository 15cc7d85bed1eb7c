"""URLs of the widget; /widget/ is served on the widget's own origin only."""

from django.urls import path

from console.widget import views

app_name = "widget"
urlpatterns = [
    path("widget/loader.js", views.loader, name="loader"),
    path("widget/frame/", views.frame, name="frame"),
    path("widget/api/session", views.session, name="session"),
    path("widget/api/messages", views.receive, name="receive"),
    path("widget/api/confirm", views.confirm, name="confirm"),
    path("widget/api/stream", views.stream, name="stream"),
    path("embed/", views.keys, name="keys"),
    path("embed/create/", views.create_key, name="create-key"),
    path("embed/<uuid:key_id>/revoke/", views.revoke_key, name="revoke-key"),
    path("demo/shop/", views.demo_shop, name="demo-shop"),
]
