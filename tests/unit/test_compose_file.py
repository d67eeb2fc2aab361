"""docker-compose.yml: what can be read from the file alone. tests/compose starts it."""

import re

import pytest
import yaml

from tests.support.program import ROOT

TEXT = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
SERVICES: dict[str, dict] = yaml.safe_load(TEXT)["services"]
CHECKED = {name: found["healthcheck"] for name, found in SERVICES.items() if "healthcheck" in found}
# What starting a process in a container costs the engine: measured 0.037 s with `true` and with
# bash, 0.059 s as the mean of all checks of the stack on two busy cores.
CHECK_CPU_SECONDS = 0.06
EXPECTED_FACTOR = 1.3

every_check = pytest.mark.parametrize("name", sorted(CHECKED))


def mebibytes(limit: str) -> int:
    return int(limit[:-1]) * {"m": 1, "g": 1024}[limit[-1]]


def test_what_is_built_has_no_image_name_that_services_would_share() -> None:
    built = {name for name, found in SERVICES.items() if "build" in found}
    assert built >= {"producer", "consumer", "api", "guard", "simulator"}
    assert {name for name in built if "image" in SERVICES[name]} == set()


def test_every_service_that_is_not_built_has_a_pinned_image() -> None:
    images = [found["image"] for found in SERVICES.values() if "build" not in found]
    assert [image for image in images if not re.search(r":v?\d+\.\d+", image)] == []


def seconds(duration: str) -> int:
    return int(duration[:-1]) * {"s": 1, "m": 60}[duration[-1]]


def test_health_checks_take_less_than_3_percent_of_a_core() -> None:
    started = [name for name in CHECKED if SERVICES[name].get("profiles") != ["cassandra-datasource"]]
    per_second = sum(1 / seconds(CHECKED[name]["interval"]) for name in started)
    assert len(started) == 16
    assert per_second * CHECK_CPU_SECONDS < 0.03


@every_check
def test_health_check_is_cheap_and_needs_no_name_lookup(name: str) -> None:
    test = CHECKED[name]["test"]
    assert test[0] == "CMD"
    assert test[1] in {"bash", "curl", "wget", "pg_isready"}
    command = " ".join(test)
    assert "localhost" not in command
    assert "127.0.0.1" in command or "pipeline/healthcheck.sh" in command


@every_check
def test_health_check_works_with_old_docker_and_podman(name: str) -> None:
    """Docker before version 25 and Podman refuse the whole file because of start_interval."""
    assert "start_interval" not in CHECKED[name]


def test_who_waits_for_a_service_waits_for_a_condition() -> None:
    for name, found in SERVICES.items():
        for other, edge in found.get("depends_on", {}).items():
            has_check = "healthcheck" in SERVICES[other]
            expected = "service_healthy" if has_check else "service_completed_successfully"
            assert edge["condition"] == expected, (name, other)


def test_only_the_demo_is_optional_for_the_producer() -> None:
    edges = SERVICES["producer"]["depends_on"]
    optional = {name for name, edge in edges.items() if edge.get("required") is False}
    assert (
        optional == {"simulator", "exchange-demo"} == {n for n, s in SERVICES.items() if s.get("profiles") == ["demo"]}
    )


def test_files_of_the_checkout_are_mounted_read_only_and_labelled_for_selinux() -> None:
    mounts = [mount for found in SERVICES.values() for mount in found.get("volumes", []) if mount.startswith("./")]
    assert len(mounts) > 10
    assert [mount for mount in mounts if not mount.endswith(":ro,z")] == []


def test_grafana_keeps_the_plugins_that_the_dashboards_use() -> None:
    for name in ("grafana", "grafana-cassandra"):
        environment = SERVICES[name]["environment"]
        disabled = set(environment["GF_PLUGINS_DISABLE_PLUGINS"].split(","))
        installed = {each.split("@")[0] for each in environment["GF_PLUGINS_PREINSTALL_SYNC"].split(",")}
        assert all(re.fullmatch(r"[a-z-]+", each) for each in disabled)
        assert disabled & (installed | {"prometheus"}) == set()
        assert "GF_PLUGINS_PREINSTALL_DISABLED" not in environment


def memory_rows() -> dict[str, tuple[int, int, int]]:
    """docs/memory.md: (limit, expected, seen) of every service, in MiB."""
    text = (ROOT / "docs" / "memory.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `([a-z-]+)` \| (\d+) \| (\d+) \| (\d+) \|", text, re.MULTILINE)
    return {name: (int(limit), int(expected), int(seen)) for name, limit, expected, seen in rows}


def test_memory_table_has_the_limit_of_every_service() -> None:
    limits = {name: mebibytes(found["mem_limit"]) for name, found in SERVICES.items()}
    assert {name: row[0] for name, row in memory_rows().items()} == limits


def test_every_limit_is_well_above_what_is_expected_and_was_seen() -> None:
    assert {n: row for n, row in memory_rows().items() if row[0] < EXPECTED_FACTOR * max(row[1:])} == {}
    assert {n: row for n, row in memory_rows().items() if row[1] < row[2]} == {}


@pytest.mark.parametrize(
    ("what", "profiles"), [("live", set()), ("demo", {"demo"}), ("everything", {"demo", "cassandra-datasource"})]
)
def test_sum_of_the_memory_limits_is_what_the_document_says(what: str, profiles: set[str]) -> None:
    """One-shots end before the last services start, so they do not count."""
    long_running = {n for n, found in SERVICES.items() if "healthcheck" in found}
    counted = {n for n in long_running if set(SERVICES[n].get("profiles", [])) <= profiles}
    total = sum(mebibytes(SERVICES[name]["mem_limit"]) for name in counted)
    text = (ROOT / "docs" / "memory.md").read_text(encoding="utf-8")
    assert f"| {what} | {total} |" in text


def test_connect_gets_its_settings_by_names_that_the_image_does_not_overwrite() -> None:
    """The image's entrypoint replaces these by the short name or its default."""
    environment = SERVICES["connect"]["environment"]
    overwritten = {
        "CONNECT_OFFSET_FLUSH_INTERVAL_MS",
        "CONNECT_OFFSET_FLUSH_TIMEOUT_MS",
        "CONNECT_TASK_SHUTDOWN_GRACEFUL_TIMEOUT_MS",
        "CONNECT_KEY_CONVERTER",
        "CONNECT_VALUE_CONVERTER",
    }
    assert set(environment) & overwritten == set()
    assert environment["OFFSET_FLUSH_INTERVAL_MS"] == 5000
