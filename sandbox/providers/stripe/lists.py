"""Reading: one object, lists with `has_more`, and expansion of ids into objects."""

from typing import Any

from sandbox.providers.stripe import books, codes, wire
from sandbox.providers.stripe.refusal import Refusal, missing

Thing = books.Thing
#: What a list may be narrowed by, where the object has such a field.
FILTERS = (
    "customer",
    "payment_intent",
    "charge",
    "product",
    "type",
    "status",
    "currency",
    "source",
    "client_reference_id",
)
BOUNDS = {"gt": int.__gt__, "gte": int.__ge__, "lt": int.__lt__, "lte": int.__le__}


def retrieve(call: wire.Call) -> Thing:
    """The object with the id in the path."""
    found = books.find(call.id, call.kind)
    if found is None:
        raise missing(call.kind, call.id, call.kind.split(".")[-1].replace("payment_intent", "intent"))
    return found


def account(call: wire.Call) -> Thing:
    """The account of the key."""
    return {
        "id": codes.ACCOUNT, "object": "account", "type": "standard", "country": "US", "default_currency": "usd",
        "email": "owner@example.com", "charges_enabled": True, "payouts_enabled": True, "details_submitted": True,
        "business_profile": {"name": "pimpshop (simulated)", "url": None, "mcc": None, "support_email": None},
        "business_type": "company", "capabilities": {"card_payments": "active", "transfers": "active"},
        "settings": {"branding": {"icon": None, "logo": None, "primary_color": None},
                     "dashboard": {"display_name": "pimpshop (simulated)", "timezone": "Etc/UTC"}},
        "metadata": {}, "created": 1_735_689_600, "livemode": False,
    }  # fmt: skip


def page(call: wire.Call) -> Thing:
    """A page of a list: newest first, `limit` up to 100, after or before an id."""
    limit = wire.number(str(call.params.get("limit", "10")), "limit")
    if not 1 <= limit <= 100:
        raise Refusal("limit must be between 1 and 100", code="parameter_invalid_integer", param="limit")
    found = books.newest(call.kind, _wanted(call))
    ids = [thing["id"] for thing in found]
    after, before = call.text("starting_after"), call.text("ending_before")
    for name, ident in (("starting_after", after), ("ending_before", before)):
        if ident and ident not in ids:
            raise missing(call.kind, ident, name, status=400)
    start = ids.index(after) + 1 if after else max(ids.index(before) - limit, 0) if before else 0
    stop = min(start + limit, ids.index(before) if before else len(ids))
    more = start > 0 if before else stop < len(ids)
    return {"object": "list", "data": found[start:stop], "has_more": more, "url": call.extra["path"]}


def _wanted(call: wire.Call) -> Any:
    """The predicate of a list's parameters."""
    wanted = {name: call.params[name] for name in FILTERS if name in call.params}
    if "active" in call.params:
        wanted["active"] = call.flag("active")
    if call.extra.get("customer"):
        wanted["customer"] = call.extra["customer"]
    created = call.params.get("created")
    if isinstance(created, str):
        created = {"gte": created, "lte": created}
    bounds = [
        (BOUNDS[name], wire.number(value, "created"))
        for name, value in (created or {}).items()
        if name in BOUNDS
    ]

    def keep(thing: Thing) -> bool:
        same = all(thing.get(name) == value for name, value in wanted.items())
        return same and all(compare(int(thing["created"]), bound) for compare, bound in bounds)

    return keep


def of_customer(call: wire.Call) -> Thing:
    """/v1/customers/{id}/payment_methods."""
    books.get(call.id, "customer")
    call.extra["customer"] = call.id
    return page(call)


def expand(thing: Thing, paths: object) -> Thing:
    """The object with the ids of `paths` (latest_charge, data.source, payment_intent.latest_charge) as objects."""
    for path in paths if isinstance(paths, list) else []:
        _expand(thing, str(path))
    return thing


def _expand(thing: Any, path: str) -> None:
    head, _, rest = path.partition(".")
    if isinstance(thing, list):
        for item in thing:
            _expand(item, path)
        return
    if not isinstance(thing, dict) or head not in thing:
        return
    if isinstance(thing[head], str):
        thing[head] = books.find(thing[head]) or thing[head]
    if rest:
        _expand(thing[head], rest)


# --- prices and products ---
def update_price(call: wire.Call) -> Thing:
    """A price's metadata, name, and whether it is sold."""
    return _update(call, "price")


def update_product(call: wire.Call) -> Thing:
    """A product's metadata, name, and whether it is sold."""
    return _update(call, "product")


def _update(call: wire.Call, kind: str) -> Thing:
    found = books.get(call.id, kind)
    if "active" in call.params:
        found["active"] = call.flag("active")
    for name in ("nickname", "name"):
        if name in call.params and name in found:
            found[name] = call.text(name)
    found["metadata"] |= call.metadata()
    return books.put(found)
