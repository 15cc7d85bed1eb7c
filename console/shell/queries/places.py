"""Every page that has a name and no id: what it is called, and who may open it."""

from typing import Final

# (name, label, URL name, permission, key, icon)
ROOMS: Final = (
    ("reviews", "Reviews", "approvals:queue", "approvals.view", "r", "gavel"),
    ("runs", "Runs", "runs:list", "runs.view", "u", "activity"),
    ("switches", "Switches", "controls:board", "controls.view", "s", "power-off"),
    ("cost", "Cost", "costs:spend", "costs.view", "c", "coins"),
    ("audit", "Audit", "audit:explorer", "audit.view", "a", "scroll-text"),
    ("people", "People", "accounts:people", "accounts.manage", "p", "users"),
    ("keys", "Keys", "accounts:keys", "keys.manage", "k", "key-round"),
    ("embed", "Embed", "widget:keys", "keys.manage", "e", "message-square"),
)
# (name, label, URL name, key, icon)
OWN: Final = (
    ("home", "Home", "shell:home", "h", "house"),
    ("sessions", "Your sessions", "accounts:sessions", "", "monitor"),
    ("notices", "Your notices", "approvals:notices", "", "send"),
    ("keyboard", "Your keys", "shell:keyboard", "", "keyboard"),
    ("manual", "Manual", "shell:manual", "m", "book-open"),
)
# (label, other words for it, URL name, permission)
PAGES: Final = (
    ("Policies", "rules workshop versions", "approvals:policies", "approvals.view"),
    ("Coverage of tools", "rules tiers", "approvals:coverage", "approvals.view"),
    ("Decisions in figures", "metrics charts", "approvals:metrics", "approvals.view"),
    ("Attention", "planted checks speed", "approvals:attention", ""),
    ("Duties", "review tasks samples", "approvals:duties", "approvals.view"),
    ("Delegations", "stand-in away place", "approvals:delegations", "approvals.view"),
    ("Standing approvals", "in advance", "approvals:standing", "approvals.view"),
    ("External tools", "agents that run elsewhere", "approvals:tools", "policies.manage"),
    ("Channels", "notices mail chat slack teams webhooks", "approvals:channels", "accounts.manage"),
    ("Break-glass", "emergency", "approvals:break-glass", "accounts.manage"),
    ("History of switches", "stops releases", "controls:history", "controls.view"),
    ("Approved = executed", "dispatches", "audit:executed", "audit.view"),
    ("Self-check of the trail", "alarms", "audit:watch", "audit.view"),
    ("Your passkeys", "webauthn sign", "accounts:passkeys", ""),
    ("Words", "permissions codes events", "shell:words", ""),
)
