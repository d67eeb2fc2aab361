"""The Debezium connector: its configuration and the program that registers it."""
