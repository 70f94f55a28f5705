"""A client of a gateway, for Python applications.

`client.Client` and `async_client.AsyncClient` have the same methods and differ in how they send. The package has:

- `operations`: one function per action of the gateway, which returns the request to send and the parser of its answer;
- `models`: the typed, frozen results of those operations;
- `exchange` and `wait`: several requests as one conversation (pages, retries, waiting), without network and clock;
- `transport`: httpx's errors and the gateway's problems as errors of this package;
- `signing`: signed messages and statements, and their typed data.
"""
