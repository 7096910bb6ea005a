"""The shop and its manufacturer, see tests.support.shop."""

from tests.support.shop import manufacturer, shop

__all__ = ["manufacturer", "shop"]
