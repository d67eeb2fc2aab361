from types import SimpleNamespace

from local.ready import greeting
from local.site import Ports
from pipeline.settings import load


def lines_of(*services):
    stack = SimpleNamespace(ports=Ports.free(), services=services, log_path=lambda name: f"logs/{name}")
    return stack, greeting(stack, load("api", environ={}, dotenv="/dev/null"), 1.0)


def test_first_address_is_the_page_that_shows_the_market():
    stack, lines = lines_of("api", "postgres")
    addresses = lines[lines.index("READY (1 s)") + 1 :]
    assert addresses[0].split()[-1] == f"http://127.0.0.1:{stack.ports.api}/market"
    assert addresses[1].split()[-1] == f"http://127.0.0.1:{stack.ports.api}"


def test_only_what_runs_has_an_address():
    _, lines = lines_of("postgres")
    assert not any("/market" in line or "Kafka" in line for line in lines)
