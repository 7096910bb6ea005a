"""Catalogue: phones, shells, templates, products, prices, and the designs that people make on them."""
