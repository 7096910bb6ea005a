"""The shared kernel: money, states, ids, http, errors, idempotency, storage. It imports no app."""
