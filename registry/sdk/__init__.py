"""A client of a gateway, for Python applications.

`client.Client` and `async_client.AsyncClient` have the same methods and differ in how they send. The core knows no
room:

- `gateway` and `async_gateway`: send, wait for a write, and ask what concerns no room;
- `operations`: functions that return the request to send and the parser of its answer;
- `models`: the typed, frozen results of those operations;
- `exchange` and `wait`: several requests as one conversation (pages, retries, waiting), without network and clock;
- `transport`: httpx's errors and the gateway's problems as errors of this package;
- `signing`: signed messages and statements, and their typed data;
- `methods`: how a room's operations become methods of both clients.

`rooms` has the operations, models and methods of each room, and the catalogue that the clients are made of.
"""
