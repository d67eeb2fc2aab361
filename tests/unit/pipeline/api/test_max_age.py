from pipeline.api.max_age import RESPONSE_FRESH_SECONDS, ROWS_FRESH_SECONDS
from pipeline.api.route_specs import ROUTES


def test_answer_is_at_most_a_second_old_as_its_max_age_header_says():
    assert 2 * (RESPONSE_FRESH_SECONDS + ROWS_FRESH_SECONDS) <= 1
    assert ROUTES["/latest_prices"].fresh_seconds == 1
