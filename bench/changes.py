"""Commits price changes in PostgreSQL at a steady rate: `python3 -m bench.changes RATE SECONDS`.
Runs in a process of its own, so that it does not slow down the program that is measured."""

import os
import sys
import time

from bench.database import connect


def main() -> None:
    rate, seconds = float(sys.argv[1]), float(sys.argv[2])
    connection = connect(os.environ)
    cursor, began = connection.cursor(), time.monotonic()
    for number in range(int(rate * seconds)):
        time.sleep(max(0.0, began + number / rate - time.monotonic()))
        cursor.execute(
            "INSERT INTO latest_prices VALUES (%s, %s, clock_timestamp()) ON CONFLICT (symbol) DO UPDATE "
            "SET price = excluded.price, updated_at = excluded.updated_at",
            (f"L{number % 400:03}USDT", number),
        )
    connection.close()


if __name__ == "__main__":
    main()
