"""Addresses of approvals, under /reviews/."""

from django.urls import path

from approvals import views

app_name = "approvals"
urlpatterns = [
    path("", views.queue, name="queue"),
    path("next/", views.following, name="next"),
    path("<uuid:proposal_id>/", views.detail, name="detail"),
    path("<uuid:proposal_id>/vote/", views.vote, name="vote"),
    path("<uuid:proposal_id>/vote/withdraw/", views.withdraw_vote, name="withdraw-vote"),
]
