"""What the services of the stack are: one file each, a function from a Site to a Service."""
