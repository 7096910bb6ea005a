"""Providers that say who somebody is, as strangers to Django: frozen data in, frozen data out."""
