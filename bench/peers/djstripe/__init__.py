"""dj-stripe's own webhook view in a bare project: no middleware, the shop's pool, a Stripe API that answers at once.

Every doubt counts for the peer: no customer, no payment method and no charge to sync, no network, no other apps.
"""
