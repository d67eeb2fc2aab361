import pytest

from pipeline.schema import ROOT
from pipeline.schema import cql_statements as statements_of

CQL_FILES = sorted((ROOT / "cql").glob("*.cql"))
PASSWORDS = {"crypto_writer": "w'quoted", "crypto_reader": "r3ader"}


def cql_statements(text, keyspace="crypto", passwords=PASSWORDS):
    return list(statements_of(text, keyspace, passwords))


def test_statements_are_separated_and_comments_dropped():
    text = "-- header; with a semicolon\nUSE crypto;\n  -- indented\nSELECT 1;\n\n"
    assert cql_statements(text) == ["USE crypto", "SELECT 1"]


def test_semicolon_inside_a_table_comment_ends_no_statement():
    text = "CREATE TABLE t (a int PRIMARY KEY) WITH comment = 'one; two';\nSELECT 1;\n"
    assert cql_statements(text) == ["CREATE TABLE t (a int PRIMARY KEY) WITH comment = 'one; two'", "SELECT 1"]


def test_other_keyspace_replaces_the_default_but_not_the_roles():
    text = (
        "CREATE KEYSPACE IF NOT EXISTS crypto WITH replication = {};\nUSE crypto;\n"
        "CREATE ROLE IF NOT EXISTS crypto_writer;\nGRANT MODIFY ON KEYSPACE crypto TO crypto_writer;\n"
    )
    assert cql_statements(text, "other") == [
        "CREATE KEYSPACE IF NOT EXISTS other WITH replication = {}",
        "USE other",
        "CREATE ROLE IF NOT EXISTS crypto_writer",
        "GRANT MODIFY ON KEYSPACE other TO crypto_writer",
    ]


def test_file_without_a_final_newline_yields_its_last_statement():
    first, last = cql_statements("USE crypto;\nSELECT 1;")
    assert (first, last.rstrip(";")) == ("USE crypto", "SELECT 1")


@pytest.mark.parametrize("file", CQL_FILES, ids=lambda file: file.name)
def test_every_statement_of_the_files_can_be_run_again(file):
    statements = cql_statements(file.read_text(encoding="utf-8"), "other")
    assert statements
    for statement in statements:
        assert ";\n" not in statement
        assert statement.startswith(("USE", "GRANT")) or "IF NOT EXISTS" in statement, statement[:60]
        assert "DROP" not in statement


@pytest.mark.parametrize("file", CQL_FILES, ids=lambda file: file.name)
def test_no_statement_of_the_files_names_the_default_keyspace_when_another_is_set(file):
    for statement in cql_statements(file.read_text(encoding="utf-8"), "other"):
        assert " crypto " not in f" {statement} "
        assert "crypto." not in statement


def test_roles_get_the_passwords_of_the_settings_and_not_the_development_ones():
    statements = cql_statements((ROOT / "cql" / "030_roles.cql").read_text(encoding="utf-8"))
    created = [statement for statement in statements if statement.startswith("CREATE ROLE")]
    assert len(created) == len(PASSWORDS)
    assert "PASSWORD = 'w''quoted'" in created[0]
    assert "PASSWORD = 'r3ader'" in created[1]
