"""The Debezium connector: its configuration, and the programs that register and watch it."""
