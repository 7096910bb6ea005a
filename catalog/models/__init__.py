"""The catalogue's tables: phones, products and prices, designs."""

from catalog.models.designs import Design, Photo
from catalog.models.drafts import Draft, DraftPass, SharedDesign, TakenDownFor
from catalog.models.phones import Colour, DesignTemplate, PhoneBrand, PhoneModel, Shell
from catalog.models.products import CaseProduct, CreditPack, Plan, Price, PriceAtStripe, Product

__all__ = [
    "CaseProduct", "Colour", "CreditPack", "Design", "DesignTemplate", "Draft", "DraftPass", "PhoneBrand", "PhoneModel",
    "Photo", "Plan", "Price", "PriceAtStripe", "Product", "SharedDesign", "Shell", "TakenDownFor",
]  # fmt: skip
