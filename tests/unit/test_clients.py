"""A client of a server is made in one file only, which gives it the TLS and the login of the
settings. Whoever makes one elsewhere would connect without."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.program import ROOT

# The calls that make a client, and the file that may.
MAKERS = {
    "KafkaConsumer": "pipeline/kafka_connection.py",
    "KafkaProducer": "pipeline/kafka_connection.py",
    "KafkaAdminClient": "pipeline/kafka_connection.py",
    "Cluster": "pipeline/cassandra_session.py",
    "psycopg2.connect": "pipeline/postgres.py",
    "Redis": "pipeline/redis_client.py",
    "Redis.from_url": "pipeline/redis_client.py",
}


def sources() -> list[Path]:
    """What users run. bench/, local/ and the tests have servers of their own, without a login."""
    return [
        *ROOT.glob("*.py"),
        *(path for folder in ("pipeline", "debezium") for path in (ROOT / folder).rglob("*.py")),
    ]


def calls(path: Path) -> Iterator[str]:
    """The names of what is called, and of what is handed on to be called later."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func)
            yield from (ast.unparse(each) for each in (*node.args, *(word.value for word in node.keywords)))
        elif isinstance(node, ast.arguments):
            yield from (ast.unparse(each) for each in (*node.defaults, *filter(None, node.kw_defaults)))


@pytest.mark.parametrize("maker", sorted(MAKERS))
def test_client_is_made_by_one_file_only(maker: str) -> None:
    found = {str(path.relative_to(ROOT)) for path in sources() if maker in calls(path)}
    assert found <= {MAKERS[maker]}


def test_the_search_finds_calls_and_what_is_handed_on(tmp_path: Path) -> None:
    (tmp_path / "made.py").write_text("def f(connect=KafkaConsumer): run(psycopg2.connect)\nCluster(x)\n")
    assert {"KafkaConsumer", "psycopg2.connect", "Cluster"} <= set(calls(tmp_path / "made.py"))
