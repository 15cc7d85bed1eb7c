"""`/api/v1/runs` and `/api/v1/conversations/messages`."""

from agents.api.runs import urlpatterns

__all__ = ["urlpatterns"]
