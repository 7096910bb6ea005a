"""Orders: what somebody wants, at a price that is fixed when the order is made, and how it gets done."""
