"""Repeatable measurements. Each program publishes a table with its figures in bench/results/."""
