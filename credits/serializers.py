"""What the API tells of somebody's credits. Numbers are whole credits, times UTC."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

#: Rows of a table have ids up to here.
_LAST_ID = 2**63 - 1


class Ending(serializers.Serializer[Any]):
    amount = serializers.IntegerField()
    at = serializers.DateTimeField(allow_null=True, help_text="null: they do not end.")


class NextExpiry(serializers.Serializer[Any]):
    amount = serializers.IntegerField()
    at = serializers.DateTimeField()


class Standing(serializers.Serializer[Any]):
    balance = serializers.IntegerField(help_text="available + held")
    held = serializers.IntegerField(help_text="Set apart for something that is being paid.")
    available = serializers.IntegerField(help_text="What can be spent now; the sum of `endings`.")
    debt = serializers.IntegerField(
        help_text="Spent, and then the money went back: paid out of the next credits that come in."
    )
    next_expiry = NextExpiry(allow_null=True)
    endings = Ending(many=True)


class Page(serializers.Serializer[Any]):
    limit = serializers.IntegerField(
        required=False, default=50, min_value=1, max_value=100, help_text="Lines to answer."
    )
    cursor = serializers.RegexField(
        r"^[0-9]{1,19}$", required=False, default="", help_text="The `next_cursor` of the page before."
    )

    def validate_cursor(self, cursor: str) -> int | None:
        return min(int(cursor), _LAST_ID) if cursor else None


class Movement(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    at = serializers.DateTimeField()
    kind = serializers.CharField(
        help_text="purchase, bonus, spend, hold, release, reverse, restore, expire …"
    )
    text = serializers.CharField(source="label", help_text="The kind in the language that was asked for.")
    amount = serializers.IntegerField(help_text="Below zero: they left the account.")
    balance_after = serializers.IntegerField(source="balance", help_text="What could be spent after it.")
    order_no = serializers.CharField(
        help_text="The order that it was about; empty where the books name none."
    )
    reference = serializers.CharField(help_text="Unique for its kind; quote it when you write to us.")
    note = serializers.CharField(help_text="What was bought.")


class Statement(serializers.Serializer[Any]):
    lines = Movement(many=True)
    next_cursor = serializers.CharField(allow_null=True, help_text="null: there are no older lines.")
