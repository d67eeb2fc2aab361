"""The producer under faults: real processes that can be disturbed, and the market's truth to
compare with."""
