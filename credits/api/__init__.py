"""The credits API: a shopper's own account."""
