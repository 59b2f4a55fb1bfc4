from datetime import timedelta

import pytest
import time_machine

from newsite.limits import Limit
from newsite.models import Attempt
from tests.givens import NOON

THREE = Limit("tests", attempts=3, interval=timedelta(minutes=1))
HERE, ELSEWHERE = "192.0.2.1", "192.0.2.2"

pytestmark = pytest.mark.django_db


@pytest.fixture
def clock():
    with time_machine.travel(NOON, tick=False) as clock:
        yield clock


def test_a_sender_has_so_many_attempts_and_then_waits_until_the_first_is_over(clock):
    taken = []
    for _number in range(4):
        taken.append(THREE.take(HERE))
        clock.shift(timedelta(seconds=10))

    assert taken == [0, 0, 0, 30]
    assert THREE.seconds_left(HERE) == 20
    clock.shift(timedelta(seconds=20))
    assert THREE.take(HERE) == 0


def test_what_was_refused_makes_nobody_wait_longer(clock):
    for _number in range(10):
        THREE.take(HERE)

    assert (THREE.seconds_left(HERE), Attempt.objects.count()) == (60, 3)


def test_one_sender_makes_no_other_wait_nor_one_purpose_another(clock):
    for _number in range(4):
        THREE.take(HERE)

    assert THREE.take(ELSEWHERE) == 0
    assert Limit("other", attempts=3, interval=THREE.interval).take(HERE) == 0


def test_nobody_waits_whose_address_is_unknown(clock):
    assert [THREE.take(None) for _number in range(5)] == [0] * 5


def test_an_account_is_one_sender_wherever_it_is_signed_in(clock):
    taken = [THREE.take(f"192.0.2.{number}", account=7) for number in range(4)]

    assert taken == [0, 0, 0, 60]
    assert (THREE.take(HERE), THREE.take(HERE, account=8)) == (0, 0)


@pytest.mark.parametrize(
    ("network_of", "attempts"),
    [
        ("2001:db8:77:1:{:x}::", 3),
        ("2001:db8:77:{:x}::", 12),
        ("2001:db8:77:{:x}00::", 48),
    ],
)
def test_a_line_of_ipv6_has_more_attempts_in_all_its_networks_but_not_without_end(
    clock, network_of, attempts
):
    taken = [THREE.take(network_of.format(number)) for number in range(attempts + 1)]

    assert taken == [0] * attempts + [60]
    assert THREE.take("2001:db8:78::1") == 0


@pytest.mark.parametrize("address", [HERE, "2001:db8:77:1::7"])
def test_it_takes_two_queries_however_much_was_counted(clock, address, django_assert_num_queries):
    for _number in range(3):
        with django_assert_num_queries(2):
            assert THREE.take(address) == 0


def test_nothing_is_kept_that_names_a_sender(clock):
    THREE.take("2001:db8:77:1::7")

    assert "2001" not in str(list(Attempt.objects.values()))


def test_attempts_are_forgotten_when_no_limit_counts_them_any_more(clock):
    THREE.take(HERE)
    clock.shift(timedelta(hours=23, minutes=59))
    THREE.take(ELSEWHERE)

    assert Attempt.objects.forgettable().count() == 0
    clock.shift(timedelta(minutes=1))
    assert Attempt.objects.forgettable().count() == 1
