"""What pages of accounts can follow, and who may."""

from console.accounts.states import Permission
from console.kernel.live import topic

topic("accounts.people", permission=Permission.ACCOUNTS_MANAGE)
topic("accounts.keys", permission=Permission.KEYS_MANAGE)
# Content-free; the page behind it shows only the reader's own sessions.
topic("accounts.sessions", permission="")
