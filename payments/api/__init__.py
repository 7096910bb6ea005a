"""The API of payments, seed 5: doors that translate and make one call."""
