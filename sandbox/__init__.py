"""The outside world over HTTP: every provider simulated as a stranger, in a process and on an origin of its own.

Nothing here imports the shop, and the shop imports nothing of this. What both must know stands in the providers' documents.
"""
