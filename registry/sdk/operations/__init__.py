"""One function per action of a gateway: it returns the request to send and the parser of the answer.

They use no network, clock or randomness.
"""
