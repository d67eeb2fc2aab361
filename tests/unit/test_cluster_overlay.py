"""docker-compose.cluster.yml: what can be read from the file alone. tests/compose_cluster starts
it."""

import re
from typing import Any

import pytest
import yaml

from tests.support.program import ROOT
from tests.unit.test_compose_file import SERVICES as BASE
from tests.unit.test_compose_file import mebibytes
from tests.unit.test_managed_overlays import Loader

TEXT = (ROOT / "docker-compose.cluster.yml").read_text(encoding="utf-8")
DOCUMENT = (ROOT / "docs" / "cluster.md").read_text(encoding="utf-8")
Loader.add_constructor("!override", lambda loader, node: loader.construct_sequence(node))
SERVICES: dict[str, dict[str, Any]] = yaml.load(TEXT, Loader)["services"]
COPIES = {name: found["extends"]["service"] for name, found in SERVICES.items() if "extends" in found}


def test_what_is_added_is_a_copy_of_a_server_or_the_proxy() -> None:
    assert set(SERVICES) - set(BASE) == {*COPIES, "proxy"}
    assert sorted(COPIES.values()) == ["cassandra", "cassandra", "connect", "kafka", "kafka", "postgres"]


@pytest.mark.parametrize("address", ["PGHOST", "KAFKA_BOOTSTRAP_SERVERS", "CASSANDRA_CONTACT_POINTS"])
def test_every_program_is_given_all_nodes(address: str) -> None:
    """A program that knows one node ends with it."""
    programs = {name for name, found in BASE.items() if address in found.get("environment", {})}
    few = {name for name in programs if "," not in SERVICES.get(name, {}).get("environment", {}).get(address, "")}
    assert programs
    assert few == set()


def test_copies_of_a_server_share_no_volume_and_no_port() -> None:
    for copy, original in COPIES.items():
        data = {mount.split(":")[1] for mount in BASE[original].get("volumes", []) if not mount.startswith("./")}
        own = {mount.split(":")[1] for mount in SERVICES[copy].get("volumes", []) if mount.startswith(copy)}
        assert own == data, copy
        ports = SERVICES[copy]["ports"]
        assert ports == "(reset)" or set(ports).isdisjoint(BASE[original]["ports"]), copy


def test_nodes_of_cassandra_divide_the_ring_and_the_first_keeps_its_place() -> None:
    tokens = [
        int(found["environment"]["JVM_OPTS"].rpartition("=")[2])
        for name, found in SERVICES.items()
        if name.startswith("cassandra") and "JVM_OPTS" in found.get("environment", {})
    ]
    assert tokens[0] == 0
    assert "initial_token=0" in BASE["cassandra"]["environment"]["JVM_EXTRA_OPTS"]
    ordered = sorted(tokens)
    widths = [(later - earlier) % 2**64 for earlier, later in zip(ordered, [*ordered[1:], ordered[0]], strict=True)]
    assert max(widths) - min(widths) < 10


def test_options_of_cassandra_are_those_of_the_single_node_but_two() -> None:
    single = set(BASE["cassandra"]["environment"]["JVM_EXTRA_OPTS"].split())
    several = set(SERVICES["cassandra"]["environment"]["JVM_EXTRA_OPTS"].split())
    assert single - several == {"-Dcassandra.initial_token=0", "-Dcassandra.skip_wait_for_gossip_to_settle=0"}
    assert several - single == set()


def test_every_variable_of_the_overlay_is_explained() -> None:
    explained = set(re.findall(r"^#([A-Z_0-9]+)=", (ROOT / ".env.example").read_text(encoding="utf-8"), re.MULTILINE))
    assert set(re.findall(r"\$\{([A-Z_0-9]+):-", TEXT)) - explained == set()


def test_sum_of_the_memory_limits_is_what_the_document_says() -> None:
    running = {name: found for name, found in BASE.items() if "healthcheck" in found}
    demo = [name for name, found in running.items() if found.get("profiles", ["demo"]) == ["demo"]]
    total = sum(mebibytes(BASE[name]["mem_limit"]) * SERVICES.get(name, {}).get("scale", 1) for name in demo)
    total += sum(mebibytes(BASE[original]["mem_limit"]) for original in COPIES.values())
    total += mebibytes(SERVICES["proxy"]["mem_limit"])
    assert f"{total} MiB" in DOCUMENT
