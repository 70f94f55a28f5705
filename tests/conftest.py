"""What all suites share."""

pytest_plugins = ["tests.fixtures.databases", "tests.fixtures.chains"]
