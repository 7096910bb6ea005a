"""What the manufacturer has: brands, models, shells with their sizes, and how many of each a machine holds.

Lives here: reading brand/list, stock/list, shop/list, goods/list into rows. Not here: when (vending.tasks), prices and
camera holes (staff), what may be sold (`machines`).
Guarantees: rows are keyed by the manufacturer's ids, names are never used as keys; what staff wrote stays (names,
colours, prices); sizes are the manufacturer's. Calls are made outside of any transaction, each machine's stock is
written in one. An odd row is skipped and reported as a staff item, never a crash. An unknown shell is made, but hidden
until staff gave it its colour, camera holes and a price. Safe with any number of syncs at once: an answer that was
asked for earlier than the one that stands is dropped.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

import structlog
from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.text import slugify

from catalog.models import Colour, PhoneBrand, PhoneModel, Shell
from pimpshop.core import staff_items
from vending import manufacturer
from vending.models import Machine, StockLevel

log = structlog.get_logger(__name__)

#: Kinds of staff items.
ODD, NEW, RESIZED = "catalogue_odd", "catalogue_new_shell", "catalogue_resized"
#: The colour of a shell that nobody has named yet.
UNNAMED = "unnamed"
MAX_SIDE_MM = Decimal(400)
MAX_ID = 40
MAX_PAGES = 50
SHOPS_PER_PAGE = 100

Key = tuple[str, str]  # the manufacturer's model id and shell id


@dataclass
class Report:
    """What one round of reading found. `failed` names the machines and shops that could not be read."""

    brands: int = 0
    machines: int = 0
    new_shells: int = 0
    odd: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)


def sync_all(client: manufacturer.ManufacturerClient) -> Report:
    """Brands, then the stock of every machine in use, then what the shops call their goods.

    A machine or shop that cannot be read is noted and does not hold up the others. Raises ManufacturerError only when
    not even the brands can be read.
    """
    report = Report()
    _sync_brands(client, report)
    for machine in Machine.objects.filter(is_active=True):
        try:
            found = sync_stock(client, machine)
        except manufacturer.ManufacturerError:
            report.failed.append(machine.machine_id)  # the machine's row says why
            continue
        report.machines += 1
        report.new_shells += found.new_shells
        report.odd += found.odd
    _sync_goods(client, report)
    log.info("catalogue_synced", brands=report.brands, machines=report.machines, new_shells=report.new_shells,
             odd=len(report.odd), failed=report.failed)  # fmt: skip
    return report


# --- Brands ------------------------------------------------------------------------------------------------------------
def _sync_brands(client: manufacturer.ManufacturerClient, report: Report) -> None:
    known = set(PhoneBrand.objects.values_list("manufacturer_id", flat=True))
    odd = []
    for brand in client.brand_list():
        if not _good_id(brand.id) or not (brand.e_name or brand.name):
            odd.append(f"brand {brand.id!r} {brand.e_name!r}")
            continue
        report.brands += 1
        if brand.id not in known:
            PhoneBrand.objects.get_or_create(
                manufacturer_id=brand.id,
                defaults={"slug": _free_slug(brand), "name": (brand.e_name or brand.name)[:120], "name_zh": brand.name[:120]},
            )  # fmt: skip
            known.add(brand.id)
    _report_odd("brand/list", odd)
    report.odd += odd


def _free_slug(brand: manufacturer.messages.Brand) -> str:
    slug = slugify(brand.e_name)[:40]
    taken = not slug or PhoneBrand.objects.filter(slug=slug).exists()
    return f"{slug}-{brand.id.lower()}".strip("-")[:60] if taken else slug


# --- Stock -------------------------------------------------------------------------------------------------------------
def sync_stock(client: manufacturer.ManufacturerClient, machine: Machine) -> Report:
    """Read what a machine holds, brand by brand, and write it. A shell that is missing from the answer counts 0.

    Raises ManufacturerError; then nothing of the stock changed but the machine's `stock_error`.
    """
    asked_at = timezone.now()
    brands = list(PhoneBrand.objects.filter(is_active=True))
    try:
        if not brands:
            _sync_brands(client, Report())
            brands = list(PhoneBrand.objects.filter(is_active=True))
        rows = [
            (brand, row)
            for brand in brands
            for row in client.stock_list(machine.machine_id, brand.manufacturer_id)
        ]
    except manufacturer.ManufacturerError as error:
        _note_error(machine, error)
        raise
    return _write_stock(machine, rows, asked_at)


def sync_shell(client: manufacturer.ManufacturerClient, machine: Machine, shell: Shell) -> Report:
    """Read and write one brand's stock, that of a shell which somebody is about to pay for: one call. A shell that is
    missing from the answer counts 0. Raises ManufacturerError, as `sync_stock`."""
    asked_at = timezone.now()
    brand = shell.model.brand
    try:
        rows = [(brand, row) for row in client.stock_list(machine.machine_id, brand.manufacturer_id)]
    except manufacturer.ManufacturerError as error:
        _note_error(machine, error)
        raise
    return _write_stock(machine, rows, asked_at, only=shell)


def _note_error(machine: Machine, error: manufacturer.ManufacturerError) -> None:
    words = f"{type(error).__name__}: {error.msg}"[:200]
    Machine.objects.filter(pk=machine.pk).update(stock_error=words, updated_at=timezone.now())


def _write_stock(
    machine: Machine,
    rows: list[tuple[PhoneBrand, manufacturer.messages.Stock]],
    asked_at: datetime,
    *,
    only: Shell | None = None,
) -> Report:
    """Write an answer: of all brands, or of the brand of the shell `only`."""
    report = Report(machines=1)
    with transaction.atomic():
        if not _note_reading(machine, asked_at, whole=only is None):
            return report  # somebody asked later than we did and was faster
        shells, counts = _shells_of(rows, report)
        found = {shells[key].pk: count for key, count in sorted(counts.items()) if key in shells}
        if only is not None:
            found.setdefault(only.pk, 0)
        levels = StockLevel.objects.filter(machine=machine)
        newer = set(levels.filter(seen_at__gt=asked_at).values_list("shell_id", flat=True))
        StockLevel.objects.bulk_create(
            [
                StockLevel(machine=machine, shell_id=shell, count=count, seen_at=asked_at)
                for shell, count in found.items()
                if shell not in newer
            ],
            update_conflicts=True,
            unique_fields=["machine", "shell"],
            update_fields=["count", "seen_at"],
        )
        gone = levels.filter(seen_at__lte=asked_at).exclude(shell__in=found)
        if only is not None:
            gone = gone.filter(shell__model__brand=only.model.brand_id)
        gone.update(count=0, seen_at=asked_at)
    if only is None or report.odd:  # one brand's clean answer says nothing about the odd rows of another
        _report_odd(machine.machine_id, report.odd)
    machine.refresh_from_db()
    return report


def _note_reading(machine: Machine, asked_at: datetime, *, whole: bool) -> bool:
    """Lock the machine's row until the answer is written. False: a later answer of the whole stock stands."""
    now = timezone.now()
    newest = Machine.objects.filter(Q(stock_synced_at=None) | Q(stock_synced_at__lte=asked_at), pk=machine.pk)
    told: dict[str, datetime] = {"stock_synced_at": asked_at} if whole else {}
    return bool(newest.update(stock_error="", last_contact_at=now, updated_at=now, **told))


def _shells_of(
    rows: list[tuple[PhoneBrand, manufacturer.messages.Stock]], report: Report
) -> tuple[dict[Key, Shell], dict[Key, int]]:
    """The shell of every usable row (made where it is new, sized as the row says) and its pieces."""
    keys = {(row.mobile_model_id, row.mobile_shell_id) for _brand, row in rows}
    shells = _known_shells(keys)
    counts: dict[Key, int] = {}
    for brand, row in rows:
        key = (row.mobile_model_id, row.mobile_shell_id)
        size = _size(row)
        if not (_good_id(key[0]) and _good_id(key[1])) or (key not in shells and size is None):
            report.odd.append(f"stock {key[0]!r} {key[1]!r} {row.width} x {row.height} mm")
            continue
        if key in counts:
            report.odd.append(f"stock {key[0]} {key[1]} is listed twice")
        counts[key] = min(row.stock, counts.get(key, row.stock))  # never sell what may not be there
        if key not in shells and size is not None:
            shells[key] = _new_shell(brand, row, size)
            report.new_shells += 1
        elif size is None:
            report.odd.append(f"stock {key[0]} {key[1]} without a size")
        elif (shells[key].width_mm, shells[key].height_mm) != size:
            _resize(shells[key], size)
    Shell.objects.filter(pk__in=[shells[key].pk for key in counts]).update(synced_at=timezone.now())
    return shells, counts


def _known_shells(keys: Iterable[Key]) -> dict[Key, Shell]:
    found = Shell.objects.select_related("model").filter(
        model__manufacturer_id__in={model for model, _shell in keys}
    )
    return {(shell.model.manufacturer_id, shell.manufacturer_id): shell for shell in found}


def _new_shell(brand: PhoneBrand, row: manufacturer.messages.Stock, size: tuple[Decimal, Decimal]) -> Shell:
    """A shell that we did not know: hidden, in a neutral colour, its camera holes those of a sibling of that size."""
    model, _new = PhoneModel.objects.get_or_create(
        manufacturer_id=row.mobile_model_id,
        defaults={"brand": brand, "name": (row.mobile_model_name or row.mobile_model_id)[:120]},
    )
    sibling = Shell.objects.filter(model=model, width_mm=size[0], height_mm=size[1]).order_by("pk").first()
    like = {"cutouts": sibling.cutouts, "corner_radius_mm": sibling.corner_radius_mm} if sibling else {}
    shell, new = Shell.objects.get_or_create(
        model=model,
        manufacturer_id=row.mobile_shell_id,
        defaults={
            "colour": _unnamed(),
            "width_mm": size[0],
            "height_mm": size[1],
            "is_active": False,
            **like,
        },
    )
    if new:
        staff_items.open_item(
            kind=NEW,
            subject=f"{row.mobile_model_id}/{row.mobile_shell_id}",
            title=f"A new shell at the manufacturer: {model.name}",
            detail="It is hidden. Give it its colour, camera holes and a price, then show it.",
        )
    return shell


def _unnamed() -> Colour:
    colour, _new = Colour.objects.get_or_create(
        slug=UNNAMED, defaults={"name": "Not named yet", "name_zh": "未命名"}
    )
    return colour


def _resize(shell: Shell, size: tuple[Decimal, Decimal]) -> None:
    before = f"{shell.width_mm} x {shell.height_mm}"
    shell.width_mm, shell.height_mm = size
    shell.save(update_fields=["width_mm", "height_mm", "updated_at"])
    staff_items.open_item(
        kind=RESIZED,
        subject=f"{shell.model.manufacturer_id}/{shell.manufacturer_id}",
        title=f"The manufacturer changed the size of {shell.model.name}",
        detail=f"From {before} to {size[0]} x {size[1]} mm. Check its camera holes.",
    )


def _size(row: manufacturer.messages.Stock) -> tuple[Decimal, Decimal] | None:
    """Width and height in mm, to a hundredth; None when they cannot be right."""
    if row.width is None or row.height is None:
        return None
    size = (round(row.width, 2), round(row.height, 2))
    return size if all(0 < side <= MAX_SIDE_MM for side in size) else None


def _good_id(text: str) -> bool:
    return 0 < len(text) <= MAX_ID and text.isascii() and text.isprintable() and " " not in text


# --- Goods: what shells are called -------------------------------------------------------------------------------------
def _sync_goods(client: manufacturer.ManufacturerClient, report: Report) -> None:
    """Name the colours of shells that have none yet, and note their article numbers."""
    goods = []
    try:
        shops = _shops(client)
    except manufacturer.ManufacturerError as error:
        report.failed.append("shop/list")
        log.warning("goods_not_read", error=type(error).__name__)
        return
    for shop in shops:
        try:
            goods += client.goods_list(shop.id)
        except manufacturer.ManufacturerError as error:
            report.failed.append(shop.id)
            log.warning("goods_not_read", shop=shop.id, error=type(error).__name__)
    shells = _known_shells({(good.mobile_model_id, good.mobile_shell_id) for good in goods})
    colours = {name.casefold(): colour for colour in Colour.objects.exclude(slug=UNNAMED)
               for name in (colour.name, colour.name_zh) if name}  # fmt: skip
    for good in goods:
        shell = shells.get((good.mobile_model_id, good.mobile_shell_id))
        if shell is not None:
            _name_shell(shell, good, colours)


def _shops(client: manufacturer.ManufacturerClient) -> list[manufacturer.messages.Shop]:
    shops: list[manufacturer.messages.Shop] = []
    for page in range(1, MAX_PAGES + 1):
        answer = client.shop_list(page, SHOPS_PER_PAGE)
        shops += [shop for shop in answer.shops if shop.id]
        if not answer.shops or len(shops) >= answer.total:
            break
    return shops


def _name_shell(shell: Shell, good: manufacturer.messages.Goods, colours: dict[str, Colour]) -> None:
    words = (good.shell_classify_ename, good.mobile_shell_name)
    colour = next((colours[word.casefold()] for word in words if word.casefold() in colours), None)
    changed = []
    if not shell.sku and good.mobile_shell_sku:
        shell.sku = good.mobile_shell_sku[:60]
        changed.append("sku")
    if colour is not None and shell.colour.slug == UNNAMED:
        shell.colour = colour
        changed.append("colour")
    if changed:
        shell.save(update_fields=[*changed, "updated_at"])


def _report_odd(where: str, odd: list[str]) -> None:
    """One open item per source; it closes by itself with the first clean answer."""
    if odd:
        staff_items.open_item(
            kind=ODD,
            subject=where,
            title=f"The manufacturer sent {len(odd)} odd rows ({where})",
            detail="They were skipped or only half used:\n" + "\n".join(odd[:20]),
        )
    else:
        staff_items.resolve_about(kind=ODD, subject=where, resolution="the next answer was clean")
