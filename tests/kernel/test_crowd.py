"""A crowd shares its refetches out over time, and few people do not wait for each other."""

from uuid import uuid4

from console.kernel.crowd import EACH_MS, FEW, MOST_MS, Crowd

QUEUE = (uuid4(), "reviews.queue")


def crowd_of(people: int, *, pages: int = 1) -> Crowd:
    crowd = Crowd()
    for number in range(people * pages):
        crowd.join(QUEUE, f"person {number % people}")
    return crowd


class TestCrowd:
    def test_of_few_people_does_not_wait(self) -> None:
        assert crowd_of(FEW).spread_ms(QUEUE) == 0
        assert crowd_of(FEW // 2, pages=20).spread_ms(QUEUE) == 0

    def test_waits_by_the_answers_that_its_pages_need(self) -> None:
        assert crowd_of(FEW + 3).spread_ms(QUEUE) == 3 * EACH_MS
        assert crowd_of(FEW, pages=2).spread_ms(QUEUE) == FEW * EACH_MS
        assert crowd_of(FEW, pages=9).spread_ms(QUEUE) == FEW * EACH_MS  # they share the second

    def test_waits_no_longer_than_a_minute(self) -> None:
        assert crowd_of(10_000).spread_ms(QUEUE) == MOST_MS

    def test_counts_each_topic_of_each_tenant_alone(self) -> None:
        crowd = crowd_of(FEW + 1)
        assert crowd.spread_ms((uuid4(), "reviews.queue")) == 0
        assert crowd.spread_ms((QUEUE[0], "controls")) == 0

    def test_forgets_a_person_with_the_last_of_their_pages(self) -> None:
        crowd = crowd_of(FEW + 1, pages=3)
        most = crowd.spread_ms(QUEUE)
        waits = []
        for person in range(FEW + 1):
            for _page in range(3):
                crowd.leave(QUEUE, f"person {person}")
                waits.append(crowd.spread_ms(QUEUE))
        assert waits[:3] == [most, most - EACH_MS, most - 2 * EACH_MS]
        assert (waits[-1], crowd._pages, crowd._answers) == (0, {}, {})

    def test_has_a_person_s_pages_wait_as_long_and_others_at_another_time(self) -> None:
        crowd = crowd_of(200)
        turns = [crowd.turn_ms(QUEUE, f"person {number}", 7) for number in range(200)]
        most = crowd.spread_ms(QUEUE)
        assert (
            crowd.turn_ms(QUEUE, "person 0", 7) == turns[0] != crowd.turn_ms(QUEUE, "person 0", 8)
        )
        quarters = [sum(most * q <= 4 * turn < most * (q + 1) for turn in turns) for q in range(4)]
        assert sum(quarters) == 200
        assert min(quarters) >= 25  # of 50
