"""What `make docs` runs: documents that are made from the code."""
