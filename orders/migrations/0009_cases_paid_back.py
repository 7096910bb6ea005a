"""Cases of orders that were paid back before print jobs knew it: none of them is printed again by mistake."""

from __future__ import annotations

from typing import Any

from django.db import migrations
from django.utils import timezone


def mark(apps: Any, editor: Any) -> None:
    numbers = apps.get_model("orders", "Order").objects.filter(status="refunded").values("order_no")
    jobs = apps.get_model("vending", "PrintJob").objects.filter(order_no__in=numbers, money_gone_at=None)
    jobs.update(money_gone_at=timezone.now())


class Migration(migrations.Migration):
    dependencies = [("orders", "0008_cases_not_received"), ("vending", "0007_money_gone")]
    operations = [migrations.RunPython(mark, migrations.RunPython.noop, elidable=True)]
