"""`policies`, `coverage` and `explain`: the rules. Agreeing to them is a proposal, as all is."""

from typing import ClassVar
from uuid import UUID

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from approvals import commands, policies, queries
from approvals.api.people import editor_of
from approvals.errors import PolicyInvalid
from approvals.serializers import NothingIn
from approvals.serializers.reviewing import SampledRulesOut
from approvals.serializers.workshop import (
    CoverageOut,
    ExplainedOut,
    PoliciesIn,
    PolicyIn,
    PolicyVersionOut,
    PolicyVersionsOut,
    SimulatedOut,
    SimulateIn,
)
from console.accounts.states import Permission
from console.kernel.rest import ApiView, actor_of, take, take_query


class Policies(ApiView):
    """Versions of policies; a new one becomes a draft, and the same body again returns it."""

    permission: ClassVar = {"GET": Permission.APPROVALS_VIEW, "POST": Permission.POLICIES_MANAGE}
    asks = frozenset({"policy"})

    @extend_schema(
        operation_id="policies_list",
        parameters=[OpenApiParameter("policy", str, description="Only versions of this one.")],
        responses=PolicyVersionsOut,
    )
    def get(self, request: Request) -> Response:
        name = take_query(PoliciesIn, request).get("policy", "")
        found = queries.policy_versions(actor=actor_of(request), policy=name)
        return Response(PolicyVersionsOut({"versions": found}).data)

    @extend_schema(operation_id="policies_add", request=PolicyIn, responses={201: PolicyVersionOut})
    def post(self, request: Request) -> Response:
        actor = editor_of(request)
        take_query(NothingIn, request)
        values = take(PolicyIn, request)
        card = commands.add_version(actor=actor, body=values["body"], note=values.get("note", ""))
        return Response(PolicyVersionOut(card).data, status=201)


class OnePolicyVersion(ApiView):
    """One version."""

    permission = Permission.APPROVALS_VIEW

    @extend_schema(operation_id="policies_version", responses=PolicyVersionOut)
    def get(self, request: Request, version_id: UUID) -> Response:
        take_query(NothingIn, request)
        found = queries.version(actor=actor_of(request), version_id=version_id)
        return Response(PolicyVersionOut(found).data)


class SampledRules(ApiView):
    """What people said afterwards about the automatic approvals of each rule that allows."""

    permission = Permission.APPROVALS_VIEW

    @extend_schema(operation_id="policies_sampling", responses=SampledRulesOut)
    def get(self, request: Request, version_id: UUID) -> Response:
        take_query(NothingIn, request)
        found = queries.sampled_rules(actor=actor_of(request), version_id=version_id)
        return Response(SampledRulesOut({"rules": found}).data)


class Simulate(ApiView):
    """What a version would say about one call; nothing is written.

    Hence no idempotency key counts here.
    """

    permission = Permission.APPROVALS_VIEW
    repeatable = False

    @extend_schema(operation_id="policies_simulate", request=SimulateIn, responses=SimulatedOut)
    def post(self, request: Request, version_id: UUID) -> Response:
        actor = actor_of(request)
        take_query(NothingIn, request)
        queries.version(actor=actor, version_id=version_id)
        values = take(SimulateIn, request)
        if "proposal" in values:
            call = queries.call_of(actor=actor, proposal_id=values["proposal"])
        elif "call" in values:
            call = queries.call_from(values["call"])
        else:
            raise PolicyInvalid("Name a proposal or send a call.", pointer="")
        found = queries.simulate(actor=actor, call=call, version_id=version_id)
        blocks = found.requirement.blocks if found.requirement else ()
        answer = {
            "says": found.says.value,
            "rules": found.rules,
            "needs": [policies.in_words(block) for block in blocks],
            "trace": found.trace,
            "flag": found.flag,
        }
        return Response(SimulatedOut(answer).data)


class Coverage(ApiView):
    """What the active rules come to for each tool that changes something."""

    permission = Permission.APPROVALS_VIEW

    @extend_schema(operation_id="coverage_get", responses=CoverageOut)
    def get(self, request: Request) -> Response:
        take_query(NothingIn, request)
        tools = [
            {
                "tool": one.tool.name,
                "tier": one.tool.tier,
                "says": one.says.value,
                "settled_by": one.settled_by,
                "perhaps": [name for _, name in one.perhaps],
            }
            for one in queries.coverage(actor=actor_of(request))
        ]
        sampled = queries.sampled_policies(actor=actor_of(request))
        return Response(CoverageOut({"tools": tools, "sampled": sampled}).data)


class Explain(ApiView):
    """Why people decide a proposal, and which; the same before and after a hidden vote."""

    permission = ""

    @extend_schema(operation_id="proposals_explain", responses=ExplainedOut)
    def get(self, request: Request, proposal_id: UUID) -> Response:
        take_query(NothingIn, request)
        found = queries.explain(actor=actor_of(request), proposal_id=proposal_id)
        said = found.evaluation
        answer = {
            "says": said.says.value if said else "",
            "rules": said.rules if said else (),
            "needs": found.blocks,
            "explanation": found.requirement.explanation,
            "trace": said.trace if said else (),
            "people": found.people,
        }
        return Response(ExplainedOut(answer).data)
