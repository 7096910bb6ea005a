"""What the API views of all apps share: who calls, and idempotency keys."""
