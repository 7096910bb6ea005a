"""The tables of dj-stripe, made in one migration: MIGRATION_MODULES leads here. Code is in payments.services.stripe_mirror."""
