from app.front.common import pause_after


def test_the_page_waits_longer_after_each_failure_up_to_half_a_minute():
    assert [pause_after(failures) for failures in range(7)] == [2, 4, 8, 16, 30, 30, 30]
