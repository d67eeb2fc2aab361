"""Can the superuser log in to our database? Creates the database if it does not exist."""

import psycopg2
from psycopg2 import sql

from local.waiting import NotReady


def _connect(port: int, password: str, database: str) -> psycopg2.extensions.connection:
    return psycopg2.connect(
        host="127.0.0.1", port=port, user="postgres", password=password, dbname=database, connect_timeout=3
    )


def ensure_database(port: int, password: str, database: str) -> None:
    """Returns when `database` exists and the superuser can log in to it."""
    try:
        _connect(port, password, database).close()
    except psycopg2.OperationalError as error:
        if f'database "{database}" does not exist' not in str(error):
            raise NotReady(_reason(error)) from None
        _create(port, password, database)
        raise NotReady(f"database {database} was missing") from None


def _create(port: int, password: str, database: str) -> None:
    connection = _connect(port, password, "postgres")
    try:
        connection.autocommit = True  # CREATE DATABASE refuses to run in a transaction
        with connection.cursor() as cursor:
            cursor.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(database)))
    finally:
        connection.close()


def _reason(error: Exception) -> str:
    text = str(error).strip()
    if "password authentication failed" in text:
        return f"{text} (POSTGRES_PASSWORD is not the one its data was created with: set that one, or run `make clean`)"
    return text
