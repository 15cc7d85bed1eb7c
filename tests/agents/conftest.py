"""The world that most tests of the runtime start from."""

import pytest

from tests.agents.world import World, make_world
from tests.cast import Cast


@pytest.fixture
def world(cast: Cast) -> World:
    return make_world(cast)
