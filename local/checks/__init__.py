"""Readiness checks: each sends a request over the real protocol and raises NotReady with the state
seen."""
