"""The rooms in the client: the operations, results and methods of each under its name."""
