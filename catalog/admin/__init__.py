"""The staff's desk of the catalogue: phones and shells, what is sold and for how much, customers' designs, what they show to others."""

from catalog.admin import designs, phones, products, shared_designs

__all__ = ["designs", "phones", "products", "shared_designs"]
