import pytest

from approvals import commands, queries
from approvals.cards import SavedViewCard
from approvals.commands import keeping
from approvals.errors import ViewNameTaken, ViewsFull
from approvals.queries import Sort, View
from console.kernel.actors import Actor
from console.kernel.errors import BadInput, NotAllowed, NotFound
from tests.approvals.desk import agent
from tests.cast import Cast


def save(who: Actor, name: str = "Refunds", **other: object) -> SavedViewCard:
    values = {"view": View.TEAM, "words": "tool:refund.*", "sort": Sort.TIER, **other}
    return commands.save_view(actor=who, name=name, **values)  # type: ignore[arg-type]


def names(who: Actor) -> list[str]:
    return [one.name for one in queries.saved_views(actor=who)]


class TestSaveView:
    def test_keeps_the_address_of_a_list(self, cast: Cast) -> None:
        card = save(cast.ruth, name="  My   refunds ")
        assert card.name == "My refunds"
        assert card.address == "view=team&q=tool%3Arefund.%2A&sort=tier"
        assert queries.saved_views(actor=cast.ruth) == (card,)

    def test_is_for_one_person_alone(self, cast: Cast) -> None:
        card = save(cast.ruth)
        assert names(cast.ines) == []
        for act in (commands.delete_view, commands.make_default_view):
            with pytest.raises(NotFound):
                act(actor=cast.ines, view_id=card.id)
        with pytest.raises(NotAllowed):
            save(agent(cast))

    def test_refuses_a_name_twice_and_too_many(
        self, cast: Cast, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        save(cast.ruth)
        with pytest.raises(ViewNameTaken):
            save(cast.ruth)
        save(cast.ines)
        monkeypatch.setattr(keeping, "MOST_VIEWS", 1)
        with pytest.raises(ViewsFull):
            save(cast.ruth, name="Other")

    @pytest.mark.parametrize(
        ("values", "field"),
        [
            ({"name": " "}, "name"),
            ({"name": "x" * 61}, "name"),
            ({"name": "a\u202eb"}, "name"),
            ({"words": "nope:1"}, "q"),
            ({"view": View.DECIDED, "sort": Sort.DEADLINE}, "sort"),
        ],
    )
    def test_refuses_what_cannot_be_opened(
        self, cast: Cast, values: dict[str, object], field: str
    ) -> None:
        with pytest.raises(BadInput) as refused:
            save(cast.ruth, **values)  # type: ignore[arg-type]
        assert list(refused.value.details["fields"]) == [field]  # type: ignore[call-overload]


class TestRenameView:
    def test_keeps_all_but_the_name(self, cast: Cast) -> None:
        card = save(cast.ruth)
        commands.make_default_view(actor=cast.ruth, view_id=card.id)
        new = commands.rename_view(actor=cast.ruth, view_id=card.id, name="Money")
        assert (new.name, new.address, new.is_default) == ("Money", card.address, True)
        assert names(cast.ruth) == ["Money"]

    def test_refuses_the_name_of_another(self, cast: Cast) -> None:
        card = save(cast.ruth)
        save(cast.ruth, name="Money")
        with pytest.raises(ViewNameTaken):
            commands.rename_view(actor=cast.ruth, view_id=card.id, name="Money")
        assert names(cast.ruth) == ["Money", "Refunds"]

    def test_to_the_same_name_changes_nothing(self, cast: Cast) -> None:
        card = save(cast.ruth)
        assert commands.rename_view(actor=cast.ruth, view_id=card.id, name="Refunds") == card


class TestMakeDefaultView:
    def test_is_one_at_a_time(self, cast: Cast) -> None:
        one, two = save(cast.ruth), save(cast.ruth, name="Money")
        commands.make_default_view(actor=cast.ruth, view_id=one.id)
        commands.make_default_view(actor=cast.ruth, view_id=two.id)
        assert self.defaults(cast) == [two.name]
        commands.make_default_view(actor=cast.ruth, view_id=two.id, on=False)
        assert self.defaults(cast) == []

    def defaults(self, cast: Cast) -> list[str]:
        return [one.name for one in queries.saved_views(actor=cast.ruth) if one.is_default]


class TestDeleteView:
    def test_forgets_it(self, cast: Cast) -> None:
        card = save(cast.ruth)
        commands.delete_view(actor=cast.ruth, view_id=card.id)
        assert names(cast.ruth) == []
        with pytest.raises(NotFound):
            commands.delete_view(actor=cast.ruth, view_id=card.id)
