"""The documents say what the program does: settings, ports, commands, links, figures, examples."""

import re
import runpy
import subprocess
import tomllib
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import pytest
import yaml

from pipeline.api.query import read_query
from pipeline.api.route_specs import ROUTES
from pipeline.api.table_key import TableKey
from pipeline.api.table_query import read_table_query
from pipeline.changes import DELETE, INSERT, Change
from pipeline.mirroring.keys import Key
from pipeline.mirroring.source_table import PgType, SourceColumn, SourceTable
from pipeline.mirroring.steps import postgres_steps, publication_steps
from pipeline.mirroring.types import cql_type
from pipeline.settings import SETTINGS, Setting
from scripts.settings_table import DOCUMENT, MARKS, with_table
from tests.unit.support.ddl import declared_tables

ROOT = Path(__file__).resolve().parents[2]
README, API, CONTRIBUTING = ROOT / "README.md", ROOT / "docs" / "api.md", ROOT / "CONTRIBUTING.md"
OWN_TABLE = ROOT / "examples" / "own_table"
DOCUMENTS = sorted(
    path
    for path in ROOT.rglob("*.md")
    if not {".local", ".git", "results"} & set(path.relative_to(ROOT).parts) and ".pytest_cache" not in path.parts
)
# The changelog has one line per entry.
WRAPPED = [path for path in DOCUMENTS if path.parent == ROOT or path.parts[len(ROOT.parts)] in ("docs", "examples")]
WRAPPED.remove(ROOT / "CHANGELOG.md")
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
TARGETS = set(re.findall(r"^([a-z-]+):.*## ", MAKEFILE, re.MULTILINE))
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
CLUSTER = {
    name
    for file in ("docker-compose.cluster.yml", "cluster/fourth_nodes.yml")
    for name in re.findall(r"^  ([a-z0-9-]+):$", (ROOT / file).read_text(encoding="utf-8"), re.MULTILINE)
}
# SQL's names of types, as the catalogue calls them.
TYPE_NAMES = {"bigint": "int8"}
GIBIBYTE, MEBIBYTE = 1024, 1

each_document = pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))


def text_of(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def without_code(text: str) -> str:
    return re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)


def section(text: str, heading: str) -> str:
    return re.split(r"^## ", text.split(f"\n## {heading}\n")[1], maxsplit=1, flags=re.MULTILINE)[0]


def first_column(text: str) -> list[str]:
    """The first cells of the rows of all tables, without their headings."""
    rows = re.findall(r"^\| (.*?) \|", without_code(text), re.MULTILINE)
    return [row for row in rows if "`" in row]


# --- settings


def test_settings_table_is_that_of_the_code() -> None:
    text = text_of(DOCUMENT)
    assert len(MARKS.findall(text)) == 1
    assert text == with_table(text), "run: make docs"


def test_env_example_lists_every_setting_with_its_default() -> None:
    given = dict(re.findall(r"^#([A-Z_]+)=(.*)$", text_of(ROOT / ".env.example"), re.MULTILINE))
    expected = {s.name: "" if s.default.startswith("=") else s.default for s in SETTINGS}
    assert {name: given.get(name) for name in expected} == expected


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: setting.name)
def test_env_example_explains_the_setting_as_the_code_does(setting: Setting) -> None:
    assert re.search(rf"^# {re.escape(setting.help)}.*\n#{setting.name}=", text_of(ROOT / ".env.example"), re.MULTILINE)


def test_every_variable_of_the_compose_file_is_explained() -> None:
    used = set(re.findall(r"\$\{([A-Z_]+):-", text_of(ROOT / "docker-compose.yml")))
    explained = set(re.findall(r"^#([A-Z_]+)=", text_of(ROOT / ".env.example"), re.MULTILINE))
    assert used - explained == set()


def test_readme_lists_every_password_that_must_change() -> None:
    passwords = set(re.findall(r"^#([A-Z_]+PASSWORD)=.+$", text_of(ROOT / ".env.example"), re.MULTILINE))
    listed = text_of(README).split("### Before you expose anything")[1].split("\n## ")[0]
    assert set(re.findall(r"`([A-Z_]+PASSWORD)`", listed)) == passwords


# --- commands


def in_code(text: str) -> str:
    """What stands in code blocks and between backticks."""
    blocks = re.findall(r"^```.*?^```", text, re.MULTILINE | re.DOTALL)
    return "\n".join([*blocks, *re.findall(r"`[^`\n]+`", without_code(text))])


@each_document
def test_every_make_target_of_the_document_exists(path: Path) -> None:
    assert set(re.findall(r"\bmake ([a-z][a-z-]+)", in_code(text_of(path)))) <= TARGETS


def test_every_make_target_is_explained_somewhere() -> None:
    told = {target for path in DOCUMENTS for target in re.findall(r"\bmake ([a-z-]+)", in_code(text_of(path)))}
    assert TARGETS - {"help"} <= told


def test_workflow_types_targets_that_exist() -> None:
    runs = re.findall(r"run: make ([a-z-]+)$", text_of(ROOT / ".github" / "workflows" / "test.yml"), re.MULTILINE)
    assert {"lint", "test", "test-compose"} <= set(runs) <= TARGETS


@each_document
def test_every_python_module_and_script_of_the_document_exists(path: Path) -> None:
    code = in_code(text_of(path))
    for module in re.findall(r"python3? -m ([a-z_.]+)", code):
        place = ROOT.joinpath(*module.split("."))
        assert module in ("pytest", "ruff", "mypy", "venv") or place.is_dir() or place.with_suffix(".py").is_file()
    for script in re.findall(r"python3 ([a-z_]+\.py)", code):
        assert (ROOT / script).is_file()


def test_every_benchmark_of_the_readme_can_be_run_by_its_name() -> None:
    known = set(re.findall(r'^    "([a-z_]+)', text_of(ROOT / "bench" / "run"), re.MULTILINE))
    assert set(re.findall(r"`bench/run ([a-z_]+)`", text_of(README))) <= known


def test_service_names_of_the_commands_are_those_of_the_compose_file() -> None:
    for path in DOCUMENTS:
        names = re.findall(r"docker compose (?:exec|run) (?:-T |--rm )*([a-z0-9-]+)", text_of(path))
        assert set(names) <= set(COMPOSE["services"]) | CLUSTER, path


# --- addresses


def published_ports() -> set[str]:
    published = [port for service in COMPOSE["services"].values() for port in service.get("ports", [])]
    return {re.search(r":-(\d+)\}:", port)[1] for port in published}


def test_every_port_of_the_readme_is_published_by_the_compose_file() -> None:
    assert set(re.findall(r"localhost:(\d+)", text_of(README))) <= published_ports()


def test_every_address_of_the_api_in_the_readme_is_answered() -> None:
    found = re.findall(r"localhost:5000(/[^\s'`|)]*)", text_of(README))
    assert found
    for address in found:
        parts = urlsplit(address)
        if parts.path == "/tables/orders":
            assert read_table_query(parse_qsl(parts.query), example_table()).values == ("ada",)
            continue
        route = ROUTES[parts.path]
        read_query(parse_qsl(parts.query), route.parameters, route.required)


def test_every_route_and_parameter_is_in_the_document_of_the_api() -> None:
    text = text_of(API)
    routes = re.findall(r"`(/[a-z0-9_./{}]*)`", " ".join(first_column(section(text, "Routes"))))
    assert sorted(routes) == sorted(ROUTES)
    parameters = re.findall(r"`([a-z_]+)`", " ".join(first_column(section(text, "Parameters"))))
    assert sorted(parameters) == sorted({each.name for route in ROUTES.values() for each in route.parameters})


# --- links and paths


def anchors(path: Path) -> set[str]:
    headings = re.findall(r"^#+ (.*)$", without_code(text_of(path)), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


@each_document
def test_every_link_leads_somewhere(path: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", without_code(text_of(path))):
        if target.startswith(("http://", "https://")):
            continue
        file, _, anchor = target.partition("#")
        place = (path.parent / file).resolve() if file else path
        assert place.exists(), target
        assert place.is_relative_to(ROOT), target
        assert not anchor or anchor in anchors(place), target


@each_document
def test_every_path_of_the_document_exists(path: Path) -> None:
    """Paths in backticks that begin with one of our folders; `…`, `*` and `<` stand for several."""
    folders = "pipeline|debezium|grafana|local|simulator|bench|tests|docs|examples|scripts|sql|cql|prometheus"
    for found in re.findall(rf"`((?:{folders})/[\w./-]*)`", text_of(path)):
        assert (ROOT / found).exists(), found


def tracked() -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode:
        pytest.skip("not a git repository")
    return [ROOT / name for name in listed.stdout.split("\0") if name]


def test_no_file_refers_to_a_document_outside_of_the_repository() -> None:
    """`.ci/run` may name a folder of stand-ins for images, which it uses only if it is there."""
    outside = re.compile(r"\.\./shared|\bDESIGN [\d.]+|\bSTYLE \d|\(facts: |facts: \w+\.md")
    passed_over = {ROOT / ".ci" / "run", Path(__file__).resolve()}
    texts = {path: path.read_bytes().decode(errors="ignore") for path in tracked() if path not in passed_over}
    assert [str(path.relative_to(ROOT)) for path, text in texts.items() if outside.search(text)] == []


# --- figures


def test_every_figure_of_the_readme_is_in_the_table_that_it_links() -> None:
    lines = [line for line in text_of(README).splitlines() if "](bench/results/" in line]
    assert lines
    for line in lines:
        measured = text_of(ROOT / re.search(r"\]\((bench/results/\w+\.md)\)", line)[1])
        for figure in re.findall(r"\*\*(.+?)\*\*", line):
            assert re.search(rf"(?<![\d.,]){re.escape(figure)}(?![\d,])", measured), figure


def test_memory_that_the_readme_asks_for_is_the_sum_of_the_limits() -> None:
    """Of the services that run at the same time: what runs once ends before the last ones start."""
    services = [
        service
        for service in COMPOSE["services"].values()
        if "profiles" not in service and service["restart"] == "unless-stopped"
    ]
    limits = [re.fullmatch(r"(\d+)([gm])", str(service["mem_limit"])) for service in services]
    total = sum(int(limit[1]) * (GIBIBYTE if limit[2] == "g" else MEBIBYTE) for limit in limits) / GIBIBYTE
    stated = float(re.search(r"add up to ([\d.]+) GiB", text_of(README))[1])
    assert abs(stated - total) < 0.1, f"the limits add up to {total:.1f} GiB"


@pytest.mark.parametrize(
    ("name", "service"),
    [
        ("PostgreSQL", "postgres"),
        ("Debezium", "connect"),
        ("Kafka", "kafka"),
        ("Cassandra", "cassandra"),
        ("Grafana", "grafana"),
    ],
)
def test_version_of_the_readme_is_that_of_the_image(name: str, service: str) -> None:
    told = re.search(rf"{name} (\d+(?:\.\d+)?)(?: ·|\n)", text_of(README))[1]
    tag = COMPOSE["services"][service]["image"].split(":")[1]
    assert tag.split(".")[: told.count(".") + 1] == told.split(".")


def test_version_of_the_changelog_is_that_of_the_project() -> None:
    project = tomllib.loads(text_of(ROOT / "pyproject.toml"))["project"]
    headings = re.findall(r"^## (.*)$", text_of(ROOT / "CHANGELOG.md"), re.MULTILINE)
    assert headings[0] == "Unreleased"
    assert re.fullmatch(rf"{re.escape(project['version'])} \(\d{{4}}-\d\d-\d\d\)", headings[1])


# --- log events


def code() -> str:
    """The source of everything that logs."""
    packages = (path for folder in ("pipeline", "debezium") for path in (ROOT / folder).rglob("*.py"))
    return "".join(map(text_of, [*packages, *ROOT.glob("*.py")]))


def test_every_log_event_of_the_readme_is_logged_somewhere() -> None:
    symptoms = " ".join(first_column(section(text_of(README), "Operations")))
    events = re.findall(r"`([a-z]+(?:_[a-z]+)+)`", symptoms)
    assert events
    source = code()
    assert [event for event in events if f'"{event}"' not in source] == []
    for ending in re.findall(r"`…(_[a-z]+)`", symptoms):
        assert f'}}{ending}"' in source


def test_every_new_name_of_an_event_in_the_changelog_is_in_the_code() -> None:
    changed = text_of(ROOT / "CHANGELOG.md").split("- logs: events have new names")[1].split("\n")[0]
    events = re.findall(r"→ `([a-z_]+)`", changed)
    outages = [event.removesuffix("_unavailable") for event in events if event.endswith("_unavailable")]
    others = [event for event in events if not event.endswith(("_unavailable", "_recovered"))]
    assert [name for name in (*outages, *others) if f'"{name}"' not in code()] == []


# --- the example of a table of one's own


def example_table() -> TableKey:
    declared = declared_tables(OWN_TABLE / "table.cql")["orders"]
    return TableKey("orders", declared.columns, tuple(declared.partition))


def own_tables() -> tuple[dict[str, str], dict[str, str]]:
    """Columns of the example in PostgreSQL and in Cassandra."""
    return (
        declared_tables(OWN_TABLE / "schema.sql")["orders"].columns,
        declared_tables(OWN_TABLE / "table.cql")["orders"].columns,
    )


def test_own_table_has_every_column_in_cassandra_and_the_key_of_postgres() -> None:
    source, target = own_tables()
    assert set(target) - set(source) == {"total"}
    assert set(source) <= set(target)
    keys = [declared_tables(OWN_TABLE / name)["orders"].key for name in ("schema.sql", "table.cql")]
    assert keys[0] == keys[1]


def test_own_table_in_the_readme_is_the_one_of_the_example() -> None:
    block = re.search(r"^```sql\n(.*?)^```", text_of(README), re.MULTILINE | re.DOTALL)[1]
    source, _ = own_tables()
    for name, kind in source.items():
        assert re.search(rf"[( ]{name} {kind}\b", block), name
    assert "mirror_table.py orders" in text_of(README)


def test_cassandra_table_by_hand_has_the_types_that_mirror_table_chooses() -> None:
    source, target = own_tables()
    chosen = {name: cql_type(PgType(kind, TYPE_NAMES.get(kind, kind))) for name, kind in source.items()}
    assert target == {**chosen, "total": "double"}


def test_statements_by_hand_are_those_of_mirror_table() -> None:
    columns = tuple(
        SourceColumn(name, PgType(kind, TYPE_NAMES.get(kind, kind))) for name, kind in own_tables()[0].items()
    )
    key = Key.of(("customer", "order_id"))
    table = SourceTable("orders", columns, key.columns, identities=(("orders", "d"),), readable=False)
    made = {step.statement for step in (*postgres_steps(table, key), *publication_steps(table))}
    by_hand = re.sub(r"^--.*$", "", text_of(OWN_TABLE / "by_hand.sql"), flags=re.MULTILINE)
    assert {line.strip() for line in by_hand.split(";") if line.strip()} == {
        statement.replace('public."orders"', "orders") for statement in made
    }


def test_publication_and_roles_of_the_example_are_those_of_the_sql_files() -> None:
    made = "".join(text_of(path) for path in sorted((ROOT / "sql").glob("*.sql")))
    example = text_of(OWN_TABLE / "by_hand.sql")
    publication = re.search(r"ALTER PUBLICATION (\w+)", example)[1]
    role = re.search(r"TO (crypto_\w+);", example)[1]
    assert f"CREATE PUBLICATION {publication} " in made
    assert f"'{role}'" in made
    assert "GRANT MODIFY ON KEYSPACE crypto TO crypto_writer" in text_of(ROOT / "cql" / "030_roles.cql")


def test_transformation_of_the_example_fills_the_columns_of_its_table() -> None:
    orders = runpy.run_path(str(OWN_TABLE / "transformation.py"))["orders"]
    row = {"customer": "ada", "order_id": 1, "quantity": 3, "unit_price": "19.90", "updated_at": "2026-11-26T12:00:00Z"}
    (write,) = orders(Change("orders", False, row, 1, 1))
    assert (write.table, write.kind) == ("orders", INSERT)
    assert write.row["total"] == pytest.approx(59.7)
    assert set(write.row) == set(own_tables()[1])
    (write,) = orders(Change("orders", True, row, 1, 1))
    assert (write.table, write.kind) == ("orders", DELETE)


# --- form


@pytest.mark.parametrize("path", WRAPPED, ids=lambda path: str(path.relative_to(ROOT)))
def test_prose_is_at_most_100_columns_wide(path: Path) -> None:
    """Tables, headings, pictures and lines that are one long link cannot be wrapped."""
    prose = [line for line in without_code(text_of(path)).splitlines() if not line.startswith(("|", "#", "!", "<!--"))]
    assert [line for line in prose if len(line) > 100 and " " in line.strip()] == []


def test_every_file_of_the_repository_ends_lines_as_unix_does() -> None:
    listed = subprocess.run(["git", "ls-files", "--eol"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode:
        pytest.skip("not a git repository")
    assert [line for line in listed.stdout.splitlines() if line.startswith(("i/crlf", "i/mixed"))] == []
