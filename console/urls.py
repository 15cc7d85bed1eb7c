"""Every URL of the product; each room keeps its own in its urls.py and api.py."""

from django.urls import include, path, re_path

from console.kernel.rest import Missing

PAGES = (
    ("", "console.shell.urls"),
    ("", "console.accounts.urls"),
    ("reviews/", "approvals.urls"),
    ("runs/", "agents.urls"),
    ("operations/switches/", "agents.controls.urls"),
    ("costs/", "costs.urls"),
    ("audit/", "audit.urls"),
    ("", "console.widget.urls"),
)
API = (
    ("", "console.accounts.api"),
    ("approvals/", "approvals.api"),
    ("", "agents.api"),
    ("controls/", "agents.controls.api"),
    ("costs/", "costs.api"),
    ("audit/", "audit.api"),
)
# What is refused before a view is reached: the same page, the same shape, the same trail.
handler400 = handler403 = handler404 = "console.kernel.middleware.answer_exception"
urlpatterns = [
    *(path(prefix, include(module)) for prefix, module in PAGES),
    *(path(f"api/v1/{prefix}", include(module)) for prefix, module in API),
    re_path(r"^api/", Missing.as_view()),  # what is not there is missing in the API's own shape
]
