"""One user model from the first migration. E-mail is NULL or unique (WeChat-only users have none)."""

from __future__ import annotations

import uuid
from typing import Any, ClassVar

from django.apps import apps
from django.contrib.auth.models import (
    AbstractBaseUser,
    BaseUserManager,
    PermissionsMixin,
)
from django.db import models, transaction
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext_lazy as _


class UserManager(BaseUserManager["User"]):
    def create_user(self, email: str | None = None, password: str | None = None, **extra: Any) -> User:
        """A new person. Whoever calls this vouches for the address: nobody is asked for a code by mail. (Who signs up
        on the website does not come this way.)"""
        user = self.model(email=normalise_email(email), **extra)
        user.set_password(password)
        with transaction.atomic(using=self._db):
            user.save(using=self._db)
            if user.email:
                addresses = apps.get_model("account", "EmailAddress")
                addresses.objects.create(user=user, email=user.email, verified=True, primary=True)
        return user

    def create_superuser(self, email: str, password: str | None = None, **extra: Any) -> User:
        if not normalise_email(email):
            raise ValueError("a superuser needs an e-mail address to log in with")
        return self.create_user(email, password, **{"is_staff": True, "is_superuser": True, **extra})

    def get_by_natural_key(self, username: str | None) -> User:
        """The person with that address. Nobody has none: those without one came another way."""
        email = normalise_email(username)
        if email is None:
            raise self.model.DoesNotExist
        return self.get(email=email)


def normalise_email(email: str | None) -> str | None:
    """Lower case, trimmed; None for an empty one (so that many users may have none)."""
    return (email or "").strip().lower() or None


class User(AbstractBaseUser, PermissionsMixin):
    """A shopper or a member of staff. `id` is seed 4's user_id, `public_id` seed 5's customer_id."""

    public_id = models.UUIDField(_("public id"), default=uuid.uuid4, unique=True, editable=False)
    email = models.EmailField(_("e-mail"), null=True, blank=True, unique=True)
    name = models.CharField(_("name"), max_length=150, blank=True)
    language = models.CharField(_("language"), max_length=10, default="en")
    is_staff = models.BooleanField(_("staff"), default=False)
    is_active = models.BooleanField(_("active"), default=True)
    log_outs = models.PositiveIntegerField(_("logged out everywhere (times)"), default=0, editable=False)
    date_joined = models.DateTimeField(_("joined"), default=timezone.now)

    objects: ClassVar[UserManager] = UserManager()

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta:
        verbose_name = _("user")
        verbose_name_plural = _("users")
        constraints = [
            models.CheckConstraint(
                condition=models.Q(email=None) | models.Q(email=Lower("email")),
                name="user_email_lower_case",
            ),
        ]
        indexes = [  # the desk's questions
            models.Index(fields=["-id"], condition=models.Q(is_staff=True), name="user_staff"),
            models.Index(fields=["-id"], condition=models.Q(is_active=False), name="user_off"),
        ]

    def __str__(self) -> str:
        return self.email or f"user {self.pk}"

    def _get_session_auth_hash(self, secret: str | None = None) -> str:
        """What a browser's session must know to stay logged in: it changes with the password, and whenever somebody is
        logged out everywhere."""
        known: str = super()._get_session_auth_hash(secret)  # type: ignore[misc]
        if not self.log_outs:
            return known
        return str(
            salted_hmac(
                "accounts.User.log_outs", f"{known}{self.log_outs}", secret=secret, algorithm="sha256"
            ).hexdigest()
        )
