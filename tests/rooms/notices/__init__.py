"""A room that exists in the tests alone, plugged in from outside: it shows that the engines know no room."""
