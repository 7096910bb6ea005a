"""The look in numbers: the palette as styles/shop.css has it, its contrasts, and what /design/ shows.

Not here: the styles themselves (styles/), the page (templates/core/design.html). Pure. tests/pages/test_design.py compares
the palette with the sheet and holds the contrasts.
"""

from __future__ import annotations

from typing import Any

from pimpshop.core.money import Money

LIGHT = {
    "base-100": "#fffdf9", "base-200": "#fff4e6", "base-300": "#f3e3cf", "base-content": "#21143a",
    "primary": "#d30f67", "primary-content": "#ffffff", "secondary": "#00758f", "secondary-content": "#ffffff",
    "accent": "#ffcf24", "accent-content": "#21143a", "success": "#0b7a4b", "success-content": "#ffffff",
    "error": "#c21f2f", "error-content": "#ffffff",
}  # fmt: skip
DARK = {
    "base-100": "#241a3b", "base-200": "#18102b", "base-300": "#3a2d59", "base-content": "#fdf3e4",
    "primary": "#ff5fa5", "primary-content": "#21081a", "secondary": "#4fd3ea", "secondary-content": "#062229",
    "accent": "#ffd84d", "accent-content": "#21143a", "success": "#4fdc9a", "success-content": "#05261a",
    "error": "#ff8089", "error-content": "#2b0508",
}  # fmt: skip
#: What stands on what, and the least contrast between them (WCAG 2.2: 4.5 for text, 3 for edges and large signs).
PAIRS = (
    ("base-content", "base-100", 4.5), ("base-content", "base-200", 4.5), ("base-content", "base-300", 4.5),
    ("primary-content", "primary", 4.5), ("secondary-content", "secondary", 4.5), ("accent-content", "accent", 4.5),
    ("success-content", "success", 4.5), ("error-content", "error", 4.5),
    ("success", "base-100", 4.5), ("error", "base-100", 4.5), ("primary", "base-100", 3.0),
    ("secondary", "base-200", 3.0),
)  # fmt: skip
#: Name, size in pixels, purpose of the icons in static/img/app.
APP_ICONS = (("icon-192", 192, "any"), ("icon-512", 512, "any"), ("maskable-512", 512, "maskable"))

TYPE = ("text-sm", "text-base", "text-lg", "text-xl", "text-2xl", "text-3xl", "text-4xl", "text-5xl")
SPACES = (1, 2, 3, 4, 5, 6, 8, 10)


def luminance(colour: str) -> float:
    """WCAG's relative luminance of "#rrggbb", 0 (black) to 1 (white)."""
    parts = (int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5))
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """WCAG's contrast between two colours, 1 to 21."""
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def shown() -> dict[str, Any]:
    """The context of /design/."""
    themes = [
        {
            "name": name,
            "pairs": [
                {
                    "front": front, "back": back, "front_hex": palette[front], "back_hex": palette[back],
                    "ratio": f"{contrast(palette[front], palette[back]):.1f}", "least": least,
                }
                for front, back, least in PAIRS
            ],
        }
        for name, palette in (("light", LIGHT), ("dark", DARK))
    ]  # fmt: skip
    return {
        "themes": themes, "type": TYPE, "spaces": [{"step": step, "px": step * 4} for step in SPACES],
        "price": Money(1999, "GBP"), "price_zh": Money(12800, "CNY"), "credits": Money(1500, "CREDITS"),
    }  # fmt: skip
