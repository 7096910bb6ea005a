"""What allauth asks us: who is calling, where to go on, what a mail looks like, what a new password ends.

Not here: what was bought for an address (orders.adapters, which is above), the forms, the texts (templates/account).
"""

from __future__ import annotations

from typing import Any, ClassVar

from allauth.account.adapter import DefaultAccountAdapter
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.stages import AuthenticateStage
from django.db import transaction
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from accounts.services import addresses, mails, second_factor, tokens
from pimpshop.core import crypto, redirects, throttles


class AccountAdapter(DefaultAccountAdapter):
    """Logging in on the website."""

    error_messages: ClassVar[dict[str, Any]] = {
        **DefaultAccountAdapter.error_messages,
        "email_password_mismatch": _("That e-mail address and password do not go together."),
        "incorrect_password": _("That is not your password."),
        "enter_current_password": _("That is not your password."),
        "incorrect_code": _("That is not the right code. Please look again."),
        "too_many_login_attempts": _("That was too often. Please wait five minutes and try again."),
        "rate_limited": _("That was a little too fast. Please wait a few seconds and try again."),
        "email_taken": _("This address belongs to another account already."),
        "duplicate_email": _("This is your address already."),
    }

    # --- Who calls, and where they go on ---
    def get_client_ip(self, request: HttpRequest) -> str:
        return throttles.client_address(request)

    def _get_login_attempts_cache_key(self, request: HttpRequest, **credentials: Any) -> str:
        """By account alone. allauth counts by host too, and whoever guesses chooses the host among ours."""
        return str(credentials.get("email", "")).lower()

    def is_safe_url(self, url: str) -> bool:
        return bool(url) and redirects.is_our_path(url)

    def get_login_redirect_url(self, request: HttpRequest) -> str:
        return addresses.landing()

    def get_signup_redirect_url(self, request: HttpRequest) -> str:
        return addresses.landing()

    def get_password_change_redirect_url(self, request: HttpRequest) -> str:
        return addresses.landing()

    def get_login_stages(self) -> list[str]:
        """allauth's stages with our own second factor (below)."""
        theirs = "allauth.mfa.stages.AuthenticateStage"
        ours = f"{SecondFactorStage.__module__}.{SecondFactorStage.__qualname__}"
        return [ours if stage == theirs else stage for stage in super().get_login_stages()]

    # --- Rows ---
    def new_user(self, request: HttpRequest) -> User:
        return User(language=get_language() or "en")

    def set_password(self, user: User, password: str) -> None:
        """Django ends the other sessions by itself; the devices with tokens end here."""
        with transaction.atomic():
            super().set_password(user, password)
            tokens.revoke_all(user)

    # --- Mails ---
    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        person = context.get("user")
        language = person.language if isinstance(person, User) else get_language() or "en"
        mails.send(template_prefix, email, context, language=language, waited_for="news" not in context)

    def send_notification_mail(
        self,
        template_prefix: str,
        user: User,
        context: dict[str, Any] | None = None,
        email: str | None = None,
    ) -> None:
        """News about the account, for whoever did not do that themselves."""
        help_url = reverse("account_reset_password")
        to = email or user.email
        if to:
            self.send_mail(
                template_prefix, to, {**(context or {}), "user": user, "news": True, "help_url": help_url}
            )


class SecondFactorStage(AuthenticateStage):
    """Asks for the code, but not the demo accounts under SANDBOX."""

    def _should_handle(self, request: HttpRequest) -> bool:
        user = self.login.user
        return isinstance(user, User) and second_factor.is_asked_for(user)


class SecondFactorAdapter(DefaultMFAAdapter):
    """Secrets are sealed in their rows; the QR code is drawn as everywhere in the shop (the template does it)."""

    error_messages: ClassVar[dict[str, Any]] = {
        **DefaultMFAAdapter.error_messages,
        "incorrect_code": AccountAdapter.error_messages["incorrect_code"],
    }

    def encrypt(self, text: str) -> str:
        return crypto.seal(text)

    def decrypt(self, encrypted_text: str) -> str:
        return second_factor.unsealed(encrypted_text)

    def build_totp_svg(self, url: str) -> str:
        return ""
