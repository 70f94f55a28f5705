"""The rooms of the gateway: the routes, answers and bodies of each under its name."""
