"""Operations that concern no room: functions that return the request to send and the parser of the answer.

They use no network, clock or randomness.
"""
