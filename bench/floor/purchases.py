"""A bare create of Django REST framework: a serializer, one row, no caller and no limits."""

from __future__ import annotations

from typing import ClassVar

from rest_framework import generics, serializers

from bench.floor.models import Purchase


class Body(serializers.ModelSerializer[Purchase]):
    class Meta:
        model = Purchase
        fields: ClassVar[list[str]] = ["id", "amount", "currency", "description", "created_at"]


class Create(generics.CreateAPIView[Purchase]):
    queryset = Purchase.objects.all()
    serializer_class = Body
