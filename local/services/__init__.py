"""The services of the stack: one file each, a function that makes a Service from a Site."""
