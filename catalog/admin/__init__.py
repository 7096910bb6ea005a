"""The staff's desk of the catalogue: phones and shells, templates, what is sold and for how much, customers' designs."""

from catalog.admin import designs, phones, products, shared_designs, templates

__all__ = ["designs", "phones", "products", "shared_designs", "templates"]
