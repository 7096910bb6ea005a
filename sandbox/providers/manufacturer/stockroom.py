"""The calls that only read: brand/list, stock/list, shop/list, goods/list."""

from typing import Any

from sandbox import database, faults
from sandbox.providers.manufacturer import books, catalogue, codes
from sandbox.providers.manufacturer.refusal import Refusal, bad


def text(body: dict[str, Any], field: str, longest: int = 64) -> str:
    """A required text field. Raises Refusal 400."""
    value = body.get(field)
    if type(value) is not str or not value or len(value) > longest:
        raise bad(field)
    return value


def own_device(device_id: str) -> database.Row:
    """A machine that the account may use. Raises Refusal."""
    found = books.device(device_id)
    if found is None:
        raise Refusal("No permission to access the current device")
    return found


def brand_list(body: dict[str, Any]) -> list[dict[str, str]]:
    """brand/list {} -> [{id, name, e_name}]"""
    return list(catalogue.data()["brands"])


def stock_list(body: dict[str, Any]) -> list[dict[str, Any]]:
    """stock/list {device_id, brand_id} -> one row per model and shell; an unknown brand gives []."""
    device_id = text(body, "device_id")
    brand_id = text(body, "brand_id")
    own_device(device_id)
    if faults.strike(codes.NAME, "device_unavailable", "stock/list"):
        raise Refusal(f"{device_id} device is unavailable")
    empty = faults.strike(codes.NAME, "out_of_stock", "stock/list") is not None
    return [
        {
            "mobile_model_id": shell.model_id,
            "mobile_model_name": shell.model_name,
            "mobile_shell_id": shell.id,
            "width": shell.width,
            "height": shell.height,
            "stock": 0 if empty else books.shell_stock(device_id, shell.id),
        }
        for shell in catalogue.shells().values()
        if shell.brand_id == brand_id
    ]


def shop_list(body: dict[str, Any]) -> dict[str, Any]:
    """shop/list {page, rows} -> {total, list:[{id, name}]}"""
    page, size = whole(body, "page"), whole(body, "rows")
    shops = catalogue.data()["shops"]
    return {"total": len(shops), "list": shops[(page - 1) * size : page * size]}


def whole(body: dict[str, Any], field: str) -> int:
    """A required whole number from 1 on. Raises Refusal 400."""
    literal = str(body.get(field, ""))
    if not (literal.isascii() and literal.isdigit() and 0 < len(literal) < 7 and int(literal) > 0):
        raise bad(field)
    return int(literal)


def goods_list(body: dict[str, Any]) -> list[dict[str, str]]:
    """goods/list {shop_id} -> every model and shell that the shop's machines can make."""
    shop_id = text(body, "shop_id")
    if shop_id not in {shop["id"] for shop in catalogue.data()["shops"]}:
        raise Refusal("The shop does not exist")
    classes = {found["id"]: found["e_name"] for found in catalogue.data()["classes"]}
    return [
        {
            "id": shell.goods_id,
            "shop_id": shop_id,
            "shell_classify_id": shell.classify_id,
            "shell_classify_ename": classes[shell.classify_id],
            "mobile_shell_id": shell.id,
            "mobile_shell_name": shell.name,
            "mobile_shell_sku": shell.sku,
            "mobile_model_id": shell.model_id,
            "mobile_model_name": shell.model_name,
            "brand_id": shell.brand_id,
            "brand_ename": catalogue.brand_name(shell.brand_id),
        }
        for shell in catalogue.shells().values()
    ]
