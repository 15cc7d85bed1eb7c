"""Settings that are made twice: rules, tools, channels, saved views, rights that are lent."""

from datetime import datetime, timedelta
from functools import partial
from uuid import UUID

from approvals import commands
from approvals.cards import NoticeSettingCard, PolicyVersionCard
from approvals.commands import versioning
from approvals.queries import View
from approvals.states import ChannelKind
from console.kernel import clock
from tests.approvals import glass, lent
from tests.approvals.desk import approve, opened, pulse
from tests.approvals.policies.rules import body, carried_out, rule, spoken
from tests.cast import Cast
from tests.races.acts import Act, case, somebody, word

DAY = timedelta(days=1)


def drafted(cast: Cast) -> PolicyVersionCard:
    return commands.add_version(actor=cast.noor, body=body(rule("a", "deny"), name=word()))


def at(moment: datetime, act: Act) -> Act:
    """Do it at one moment, in whichever thread."""

    def then() -> object:
        with clock.frozen(moment):
            return act()

    return then


@case("versioning.add_version")
def _add_version(cast: Cast) -> Act:
    written = body(rule("a", "deny"), name=word())
    return lambda: commands.add_version(actor=cast.noor, body=written)


@case("versioning.shadow_version")
def _shadow(cast: Cast) -> Act:
    card = drafted(cast)
    return lambda: commands.shadow_version(actor=cast.noor, version_id=card.id, on=True)


@case("versioning.discard_version")
def _discard(cast: Cast) -> Act:
    card = drafted(cast)
    return lambda: commands.discard_version(actor=cast.noor, version_id=card.id)


@case("proposing_versions.propose_activation")
def _propose(cast: Cast) -> Act:
    card = drafted(cast)
    return lambda: commands.propose_activation(actor=cast.noor, version_id=card.id)


@case("proposing_versions.propose_retirement")
def _retire(cast: Cast) -> Act:
    card = spoken(cast, rule("a", "deny", match={"tool": "none.*"}), name=word())
    return lambda: commands.propose_retirement(actor=cast.noor, version_id=card.id)


@case("carrying.carry_out")
def _carry_out(cast: Cast) -> Act:
    card = commands.propose_activation(actor=cast.noor, version_id=drafted(cast).id)
    for person in (cast.ruth, cast.ines):
        approve(card, person)
    return lambda: commands.carry_out(actor=cast.system, proposal_id=card.id)


@case("versioning.activate_version")
def _activate(cast: Cast) -> Act:
    card = drafted(cast)
    by = _agreed(cast, card)
    return lambda: versioning.activate_version(
        actor=cast.system, version_id=card.id, proposal_id=by
    )


@case("replaying.start_replay")
def _start_replay(cast: Cast) -> Act:
    opened(cast)
    card = drafted(cast)
    return lambda: commands.start_replay(actor=cast.noor, version_id=card.id, days=7)


@case("replaying.advance_replay", of_a_tenant=True)
def _advance_replay(cast: Cast) -> Act:
    opened(cast)
    replay = commands.start_replay(actor=cast.noor, version_id=drafted(cast).id, days=7)
    return lambda: commands.advance_replay(actor=cast.system, replay_id=replay.id)


@case("replaying.cancel_replay")
def _cancel_replay(cast: Cast) -> Act:
    opened(cast)
    replay = commands.start_replay(actor=cast.noor, version_id=drafted(cast).id, days=7)
    return lambda: commands.cancel_replay(actor=cast.noor, replay_id=replay.id)


@case("external_tools.add_external_tool")
def _add_tool(cast: Cast) -> Act:
    name = word()
    return lambda: commands.add_external_tool(actor=cast.noor, name=name, tier=2, summary="X.")


@case("external_tools.retire_external_tool")
def _retire_tool(cast: Cast) -> Act:
    made = commands.add_external_tool(actor=cast.noor, name=word(), tier=2, summary="X.")
    assert made.tool is not None
    tool_id = made.tool.id
    return lambda: commands.retire_external_tool(actor=cast.noor, tool_id=tool_id)


@case("switching_checks.switch_checks", of_a_tenant=True)
def _switch_checks(cast: Cast) -> Act:
    return lambda: commands.switch_checks(actor=cast.noor, is_on=True)


@case("channels.add_channel")
def _add_channel(cast: Cast) -> Act:
    return partial(_channel, cast, word())


@case("channels.switch_channel")
def _switch_channel(cast: Cast) -> Act:
    made = _channel(cast, word())
    return lambda: commands.switch_channel(
        actor=cast.noor, channel_id=made, active=False, titles=True
    )


@case("channels.switch_own_mail", of_a_tenant=True)
def _switch_own_mail(cast: Cast) -> Act:
    return lambda: commands.switch_own_mail(actor=cast.noor, active=False, titles=False)


@case("channels.try_channel")
def _try_channel(cast: Cast) -> Act:
    made = _channel(cast, word())
    return at(clock.now(), lambda: commands.try_channel(actor=cast.noor, channel_id=made))


@case("channels.try_own_mail")
def _try_own_mail(cast: Cast) -> Act:
    person = somebody(cast)
    return at(clock.now(), lambda: commands.try_own_mail(actor=person))


@case("channels.set_notices")
def _set_notices(cast: Cast) -> Act:
    person, setting = somebody(cast), NoticeSettingCard(zone="Europe/Berlin")
    return lambda: commands.set_notices(actor=person, setting=setting)


@case("keeping.save_view")
def _save_view(cast: Cast) -> Act:
    return partial(commands.save_view, actor=cast.ruth, name=word(), view=View.TEAM)


@case("keeping.rename_view")
def _rename_view(cast: Cast) -> Act:
    view, name = _view(cast), word()
    return lambda: commands.rename_view(actor=cast.ruth, view_id=view, name=name)


@case("keeping.make_default_view")
def _default_view(cast: Cast) -> Act:
    view = _view(cast)
    return lambda: commands.make_default_view(actor=cast.ruth, view_id=view)


@case("keeping.delete_view")
def _delete_view(cast: Cast) -> Act:
    view = _view(cast)
    return lambda: commands.delete_view(actor=cast.ruth, view_id=view)


@case("lending.lend_break_glass")
def _lend(cast: Cast) -> Act:
    return partial(glass.lend, cast, somebody(cast))


@case("lending.revoke_break_glass")
def _revoke(cast: Cast) -> Act:
    grant = glass.lend(cast, somebody(cast))
    return lambda: commands.revoke_break_glass(actor=cast.noor, grant_id=grant.id)


@case("delegating.delegate")
def _delegate(cast: Cast) -> Act:
    until = clock.now() + DAY
    return partial(lent.lend, somebody(cast, "care"), somebody(cast, "care"), until=until)


@case("delegating.end_delegation")
def _end_delegation(cast: Cast) -> Act:
    giver = somebody(cast, "care")
    made = lent.lend(giver, somebody(cast, "care"))
    return lambda: commands.end_delegation(actor=giver, delegation_id=made.id)


@case("delegating.lapse_delegations", of_a_tenant=True)
def _lapse(cast: Cast) -> Act:
    made = lent.lend(cast.ruth, cast.ines)
    return at(made.until, lambda: commands.lapse_delegations(actor=pulse(cast)))


def _channel(cast: Cast, title: str) -> UUID:
    return commands.add_channel(
        actor=cast.noor, kind=ChannelKind.EMAIL, title=title, address="room@b.example"
    ).id


def _view(cast: Cast) -> UUID:
    return commands.save_view(actor=cast.ruth, name=word(), view=View.TEAM).id


def _agreed(cast: Cast, card: PolicyVersionCard) -> UUID:
    """Return the dispatched proposal by which a version may be activated."""
    return UUID(str(carried_out(cast, card)))
