"""What a design template consists of: slots for photos and an overlay above them (DesignTemplate.spec).

Lives here: the frozen form of the spec and its strict reader. Not here: the rows, the drawing (`rendering`).

Fractions: x and w of the trim width, y and h of the trim height, radius and thickness of the trim width. A slot, a rect or
the outside of a frame that reaches the edge of the trim is drawn out over the bleed.

    {"background": "#ffffff",                                        suggested colour, optional
     "slots":   [{"x": 0, "y": 0, "w": 1, "h": 1, "radius": 0}],     none: one slot, the whole print area
     "overlay": [{"kind": "rect", x, y, w, h, color, opacity, radius, color2, opacity2, direction: "down" | "right"},
                 {"kind": "frame", x, y, w, h, thickness, color, opacity, radius},      radius of its window
                 {"kind": "line", x1, y1, x2, y2, thickness, color, opacity},
                 {"kind": "ellipse", x, y, w, h, color, opacity}]}
color2 makes a rect a gradient from color, opacity to color2, opacity2.
"""

from collections.abc import Callable
from dataclasses import dataclass

from .strict_json import Fields, LayoutRefused

MAX_SLOTS = 6
MAX_SHAPES = 64


@dataclass(frozen=True, slots=True)
class Slot:
    """A window for one photo, in fractions of the trim rectangle."""

    x: float
    y: float
    w: float
    h: float
    radius: float


@dataclass(frozen=True, slots=True)
class Rect:
    """A filled rectangle; from `color` to `color2` in `direction` when there is a second colour."""

    x: float
    y: float
    w: float
    h: float
    radius: float
    color: str
    opacity: float
    color2: str
    opacity2: float
    direction: str


@dataclass(frozen=True, slots=True)
class Frame:
    """The rim of a rectangle, `thickness` wide, inside its edges."""

    x: float
    y: float
    w: float
    h: float
    radius: float
    thickness: float
    color: str
    opacity: float


@dataclass(frozen=True, slots=True)
class Line:
    """A straight line with flat ends."""

    x1: float
    y1: float
    x2: float
    y2: float
    thickness: float
    color: str
    opacity: float


@dataclass(frozen=True, slots=True)
class Ellipse:
    """A filled ellipse in its box."""

    x: float
    y: float
    w: float
    h: float
    color: str
    opacity: float


Shape = Rect | Frame | Line | Ellipse


@dataclass(frozen=True, slots=True)
class TemplateSpec:
    """A template: where photos show, what is drawn above them, which background suits it."""

    slots: tuple[Slot, ...] = ()
    overlay: tuple[Shape, ...] = ()
    background: str = "#ffffff"

    @property
    def slot_count(self) -> int:
        """How many photos it shows; a template without slots shows one."""
        return len(self.slots) or 1


def parse_spec(source: object) -> TemplateSpec:
    """Read a spec (a JSON object). Raises `LayoutRefused`."""
    fields = Fields(source, "spec")
    slots = tuple(_slot(item) for item in fields.items("slots", MAX_SLOTS, []))
    overlay = tuple(_shape(item) for item in fields.items("overlay", MAX_SHAPES, []))
    background = fields.colour("background", "#ffffff")
    fields.done()
    return TemplateSpec(slots, overlay, background)


def _slot(source: object) -> Slot:
    fields = Fields(source, "slot")
    slot = Slot(*_box(fields), radius=_fraction(fields, "radius", 0))
    fields.done()
    return slot


def _shape(source: object) -> Shape:
    fields = Fields(source, "overlay")
    kind = fields.choice("kind", tuple(_READERS))
    shape = _READERS[kind](fields)
    fields.done()
    return shape


def _rect(fields: Fields) -> Rect:
    color, opacity = _paint(fields)
    return Rect(
        *_box(fields),
        radius=_fraction(fields, "radius", 0),
        color=color,
        opacity=opacity,
        color2=fields.colour("color2", color),
        opacity2=_fraction(fields, "opacity2", opacity),
        direction=fields.choice("direction", ("down", "right"), "down"),
    )


def _frame(fields: Fields) -> Frame:
    color, opacity = _paint(fields)
    radius, thickness = _fraction(fields, "radius", 0), _fraction(fields, "thickness")
    return Frame(*_box(fields), radius=radius, thickness=thickness, color=color, opacity=opacity)


def _line(fields: Fields) -> Line:
    color, opacity = _paint(fields)
    x1, y1, x2, y2 = (fields.number(key, -0.5, 1.5) for key in ("x1", "y1", "x2", "y2"))
    return Line(x1, y1, x2, y2, _fraction(fields, "thickness"), color, opacity)


def _ellipse(fields: Fields) -> Ellipse:
    color, opacity = _paint(fields)
    return Ellipse(*_box(fields), color=color, opacity=opacity)


_READERS: dict[str, Callable[[Fields], Shape]] = {
    "rect": _rect,
    "frame": _frame,
    "line": _line,
    "ellipse": _ellipse,
}


def _paint(fields: Fields) -> tuple[str, float]:
    return fields.colour("color"), _fraction(fields, "opacity", 1)


def _fraction(fields: Fields, key: str, *default: float) -> float:
    return fields.number(key, 0, 1, *default)


def _box(fields: Fields) -> tuple[float, float, float, float]:
    x, y, w, h = (fields.number(key, -0.5, 1.5) for key in ("x", "y", "w", "h"))
    if w <= 0 or h <= 0:
        raise LayoutRefused("out_of_range", detail="an empty box")
    return x, y, w, h
