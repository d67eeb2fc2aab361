"""Rows that are changed, deleted and left out behind the pipeline's back, and what reconcile.py
says of them. Used by tests and by bench/reconcile.py."""
