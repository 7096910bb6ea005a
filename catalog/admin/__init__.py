"""The staff's desk of the catalogue: phones and shells, what is sold and for how much, customers' designs."""

from catalog.admin import designs, phones, products

__all__ = ["designs", "phones", "products"]
