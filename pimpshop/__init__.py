"""pimpshop: personalised phone cases from vending machines, credits and plans, and the money for them.

Nothing is imported here: the supervisor and the keeper of the embedded servers live in this package too and stay small.
`pimpshop.core.apps` loads the Celery app, so tasks bind to it in every process that sets Django up.
"""
