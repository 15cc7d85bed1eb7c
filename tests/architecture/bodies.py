"""Well-formed values for each address that takes some, so that only the id can be refused."""

from typing import Any, Final

from console.kernel.ids import uuid7

DIGEST: Final = "0" * 64
POLICY: Final = {"policy": "shop", "rules": [{"id": "a", "effect": "deny"}]}
PLAN: Final[dict[str, Any]] = {
    "subject": "00000000-0000-4000-8000-000000000000",
    "changes": [
        {
            "subject": f"00000000-0000-4000-8000-00000000000{no}",
            "tool": "crm.update",
            "tier": 1,
            "title": f"Change {no}",
            "args": {"no": no},
            "before": {},
            "after": {},
            "contract": "It does.",
        }
        for no in (1, 2)
    ],
}
SEEN: Final = {"revision_no": "1", "seen_digest": DIGEST}
VOTE: Final = {"choice": "approve", "revision_no": "1", "seen_digest": DIGEST, "vote": "1"}
STANDING: Final[dict[str, Any]] = {
    **SEEN,
    "path": ["/args/a", ""],
    "op": ["eq", "eq"],
    "value": ["b", ""],
    "uses": "1",
    "days": "1",
    "reason": "Often.",
}
AHEAD: Final[dict[str, Any]] = {
    "proposal": "00000000-0000-4000-8000-000000000000",
    "revision": 1,
    "digest": DIGEST,
    "conditions": [{"path": "/args/a", "op": "eq", "value": "b"}],
    "uses": 1,
    "days": 1,
    "reason": "Often.",
}
BODIES: Final[dict[str, Any]] = {
    "accounts:person": {"roles": ["reviewer"], "active": "1"},
    "accounts:grant": {"kind": "agent", "object_id": str(uuid7()), "give": "1"},
    "approvals:vote": VOTE,
    "approvals:extend": {"extend_reason": "More time.", "clock_no": "1"},
    "approvals:use-break-glass": {**SEEN, "reason": "It is down.", "ticket": "I-7", "sure": "1"},
    "approvals:close-duty": {"verdict": "agree", "note": "I looked."},
    "approvals:erase-sealed": {"erase_reason": "They asked for it."},
    "approvals:edit": {**SEEN, "mode": "raw", "step": "preview", "raw": "{}"},
    "approvals:rebase": SEEN,
    "approvals:hand-back": SEEN,
    "approvals:make-standing": STANDING,
    "approvals:revoke-standing": {"reason": "It is over."},
    "approvals:ask": {"kind": "note", "text": "For the test.", "revision_no": "1"},
    "approvals:reconcile": {"happened": "yes", "evidence": "I looked."},
    "approvals:snooze": {"for_how_long": "hour"},
    "approvals:propose-policy": {"what": "activate"},
    "approvals:simulate-policy": {"call": '{"tool": "x", "tier": 1}'},
    "approvals:replay-policy": {"days": "7"},
    "approvals:rename-view": {"name": "Other"},
    "runs:reconcile": {"happened": "yes"},
    "runs:close-handoff": {"give_back": "no"},
    "runs:reply": {"text": "I am here.", "client_id": str(uuid7())},
    "controls:release": {"reason": "It is over."},
    "widget:revoke-key": {"reason": "Not used."},
    "api/v1/people/<uuid:person_id>": {"roles": [], "groups": [], "active": False},
    "api/v1/approvals/proposals/<uuid:proposal_id>/break-glass": {
        "revision": 1,
        "digest": DIGEST,
        "reason": "It is down.",
        "ticket": "INC-7",
    },
    "api/v1/approvals/proposals/<uuid:proposal_id>/sealed/erase": {"reason": "They asked for it."},
    "api/v1/approvals/review-tasks/<uuid:task_id>/close": {"verdict": "agree", "note": "Fine."},
    "api/v1/approvals/proposals/<uuid:proposal_id>/extend": {"reason": "More.", "clock_no": 1},
    "api/v1/approvals/proposals/<uuid:proposal_id>/dispatch": {
        "call_key": str(uuid7()),
        "args": {},
        "before": {},
        "contract": "It does.",
    },
    "api/v1/approvals/dispatches/<uuid:dispatch_id>/outcome": {"outcome": "failed"},
    "api/v1/approvals/dispatches/<uuid:dispatch_id>/reconcile": {
        "outcome": "failed",
        "evidence": "I looked.",
    },
    "api/v1/approvals/proposals/<uuid:proposal_id>/votes": {
        "revision": 1,
        "digest": DIGEST,
        "choice": "approve",
    },
    "api/v1/approvals/proposals/<uuid:proposal_id>/revisions": {
        "revision": 1,
        "digest": DIGEST,
        "args": {},
    },
    "approvals:reply": {"text": "So."},
    "api/v1/approvals/proposals/<uuid:proposal_id>/comments/<uuid:comment_id>/answer": {
        "text": "So."
    },
    "api/v1/approvals/proposals/<uuid:proposal_id>/comments": {"kind": "note", "text": "Why?"},
    "api/v1/approvals/proposals/<uuid:proposal_id>/refresh": {"revision": 1, "digest": DIGEST},
    "api/v1/approvals/proposals/<uuid:proposal_id>/hand-back": {"revision": 1, "digest": DIGEST},
    "api/v1/approvals/proposals/<uuid:proposal_id>/votes/challenges": {
        "revision": 1,
        "digest": DIGEST,
        "choice": "approve",
    },
    "api/v1/approvals/policies/versions/<uuid:version_id>/simulate": {
        "call": {"tool": "x", "tier": 1}
    },
    "api/v1/approvals/policies/versions/<uuid:version_id>/replays": {"days": 7},
    "api/v1/approvals/policies/versions/<uuid:version_id>/shadow": {"on": True},
    "api/v1/conversations/<uuid:conversation_id>/replies": {
        "text": "I am here.",
        "client_id": "reply-1",
    },
    "api/v1/approvals/standing-approvals/<uuid:standing_id>/revoke": {"reason": "It is over."},
    "api/v1/controls/switches/<uuid:switch_id>/release": {"reason": "It is over."},
}
