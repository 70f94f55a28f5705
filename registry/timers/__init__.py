"""Durable timers: due dates that fire exactly once, over restarts, clock jumps and several processes."""
