"""The producer under faults: a world of real processes that can be disturbed, and the truth to
compare with."""
