"""Small drawings of the templates for the studio's choices: the template's own spec as inline SVG.

Not here: the real picture (`services.rendering`); a sketch leaves out bleed, camera and rounded windows of frames.
Guarantees: pure; every number and colour comes from the checked spec, and is escaped.
"""

from __future__ import annotations

import json
from functools import lru_cache

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

from catalog.models import DesignTemplate
from catalog.services import template_specs

#: Units of the drawing; a case is about twice as high as it is wide.
WIDTH, HEIGHT = 50, 100
SKY, SUN, HILL = "#a9def0", "#ffcf24", "#5fb77a"


def svg(template: DesignTemplate) -> SafeString:
    """The sketch, decoration beside the template's name."""
    return _drawn(template.slug, json.dumps(template.spec))


@lru_cache(maxsize=256)
def _drawn(slug: str, spec_as_text: str) -> SafeString:
    """Drawn once per process and spec: a studio shows all of them."""
    spec = template_specs.parse_spec(json.loads(spec_as_text))
    whole = template_specs.Slot(0, 0, 1, 1, 0)
    return format_html(
        '<svg class="sketch" viewBox="0 0 {} {}" aria-hidden="true" focusable="false">'
        '<rect width="{}" height="{}" fill="{}"/>{}{}</svg>',
        WIDTH, HEIGHT, WIDTH, HEIGHT, spec.background,
        _joined(_photo(slot, f"{slug}-slot-{n}") for n, slot in enumerate(spec.slots or (whole,))),
        _joined(_shape(shape, f"{slug}-{n}") for n, shape in enumerate(spec.overlay)),
    )  # fmt: skip


def _joined(parts: object) -> SafeString:
    return format_html_join("", "{}", ((part,) for part in parts))  # type: ignore[attr-defined]


def _n(value: float, unit: int) -> str:
    """A fraction in units of the drawing, short."""
    return f"{value * unit:.1f}".removesuffix(".0")


def _photo(slot: template_specs.Slot, name: str) -> SafeString:
    """A landscape where a photo goes, within the slot's round corners."""
    if not slot.radius:
        return _landscape(slot)
    return format_html(
        '<clipPath id="sketch-{}"><rect x="{}" y="{}" width="{}" height="{}" rx="{}"/></clipPath>'
        '<g clip-path="url(#sketch-{})">{}</g>',
        name, _n(slot.x, WIDTH), _n(slot.y, HEIGHT), _n(slot.w, WIDTH), _n(slot.h, HEIGHT), _n(slot.radius, WIDTH),
        name, _landscape(slot),
    )  # fmt: skip


def _landscape(slot: template_specs.Slot) -> SafeString:
    x, y, w, h = slot.x * WIDTH, slot.y * HEIGHT, slot.w * WIDTH, slot.h * HEIGHT
    points = [(0, 1), (0, 0.78), (0.35, 0.6), (0.6, 0.72), (1, 0.55), (1, 1)]
    hills = " ".join(f"{x + px * w:.1f},{y + py * h:.1f}" for px, py in points)
    return format_html(
        '<rect x="{}" y="{}" width="{}" height="{}" fill="{}"/><circle cx="{}" cy="{}" r="{}" fill="{}"/>'
        '<polygon points="{}" fill="{}"/>',
        _n(x, 1), _n(y, 1), _n(w, 1), _n(h, 1), SKY, _n(x + 0.68 * w, 1), _n(y + 0.3 * h, 1),
        _n(0.13 * min(w, h), 1), SUN, hills, HILL,
    )  # fmt: skip


def _shape(shape: object, name: str) -> SafeString:
    if isinstance(shape, template_specs.Rect):
        return _rect(shape, name)
    if isinstance(shape, template_specs.Frame):
        half = shape.thickness * WIDTH / 2
        return format_html(
            '<rect x="{}" y="{}" width="{}" height="{}" fill="none" stroke="{}" stroke-width="{}" opacity="{}"/>',
            _n(shape.x * WIDTH + half, 1), _n(shape.y * HEIGHT + half, 1), _n(shape.w * WIDTH - 2 * half, 1),
            _n(shape.h * HEIGHT - 2 * half, 1), shape.color, _n(shape.thickness, WIDTH), shape.opacity,
        )  # fmt: skip
    if isinstance(shape, template_specs.Line):
        return format_html(
            '<line x1="{}" y1="{}" x2="{}" y2="{}" stroke="{}" stroke-width="{}" opacity="{}"/>',
            _n(shape.x1, WIDTH), _n(shape.y1, HEIGHT), _n(shape.x2, WIDTH), _n(shape.y2, HEIGHT),
            shape.color, _n(shape.thickness, WIDTH), shape.opacity,
        )  # fmt: skip
    if isinstance(shape, template_specs.Ellipse):
        return format_html(
            '<ellipse cx="{}" cy="{}" rx="{}" ry="{}" fill="{}" opacity="{}"/>',
            _n(shape.x + shape.w / 2, WIDTH), _n(shape.y + shape.h / 2, HEIGHT), _n(shape.w / 2, WIDTH),
            _n(shape.h / 2, HEIGHT), shape.color, shape.opacity,
        )  # fmt: skip
    return mark_safe("")


def _rect(shape: template_specs.Rect, name: str) -> SafeString:
    box = (
        _n(shape.x, WIDTH),
        _n(shape.y, HEIGHT),
        _n(shape.w, WIDTH),
        _n(shape.h, HEIGHT),
        _n(shape.radius, WIDTH),
    )
    if (shape.color, shape.opacity) == (shape.color2, shape.opacity2):
        return format_html(
            '<rect x="{}" y="{}" width="{}" height="{}" rx="{}" fill="{}" opacity="{}"/>',
            *box,
            shape.color,
            shape.opacity,
        )
    across, down = (1, 0) if shape.direction == "right" else (0, 1)
    return format_html(
        '<linearGradient id="sketch-{}" x2="{}" y2="{}"><stop stop-color="{}" stop-opacity="{}"/>'
        '<stop offset="1" stop-color="{}" stop-opacity="{}"/></linearGradient>'
        '<rect x="{}" y="{}" width="{}" height="{}" rx="{}" fill="url(#sketch-{})"/>',
        name, across, down, shape.color, shape.opacity, shape.color2, shape.opacity2, *box, name,
    )  # fmt: skip
