"""Readiness checks: each asks the real question over the real protocol and raises NotReady with
what it saw."""
