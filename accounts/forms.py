"""What people are asked when they sign up, log in, and look after their account: allauth's forms in the shop's look.

One password field (a mistyped one is set anew by mail), labels above fields, nothing that only a placeholder says.
"""

from __future__ import annotations

from typing import Any

from allauth.account import forms as base
from allauth.account.internal import flows
from allauth.mfa.adapter import get_adapter as mfa_adapter
from allauth.mfa.base import forms as mfa
from allauth.mfa.totp.forms import ActivateTOTPForm
from django import forms
from django.contrib.auth.hashers import make_password
from django.db import IntegrityError, transaction
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from accounts.services import addresses, second_factor

#: Longer ones only cost time to hash.
LONGEST_PASSWORD = 1024
EMAIL, PASSWORD, NEW_PASSWORD = _("E-mail address"), _("Password"), _("New password")
PASSWORD_HELP = _("At least 8 characters. A few words are easy to remember and hard to guess.")
_TYPE_EMAIL = _("Please type an e-mail address.")
_TYPE_PASSWORD = _("Please type a password.")
_TYPE_CODE = _("Please type the code.")


class Look:
    """The shop's inputs. `labels` and `helps` by field; fields that are not named keep allauth's."""

    labels: dict[str, Any] = {}
    helps: dict[str, Any] = {}
    fields: dict[str, Any]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, field in self.fields.items():
            attrs = field.widget.attrs
            attrs.pop("placeholder", None)
            attrs["class"] = "input"
            field.label = self.labels.get(name, field.label)
            field.help_text = self.helps.get(name, "")
            if isinstance(field, forms.EmailField):
                attrs.update({"inputmode": "email", "autocapitalize": "none", "spellcheck": "false"})
                field.error_messages.update(required=_TYPE_EMAIL, invalid=_TYPE_EMAIL)
            elif isinstance(field.widget, forms.PasswordInput):
                field.max_length = attrs["maxlength"] = LONGEST_PASSWORD
                field.validators.append(forms.CharField(max_length=LONGEST_PASSWORD).validators[0])
                field.error_messages["required"] = _TYPE_PASSWORD
            elif name == "code":
                attrs.update({"inputmode": "numeric", "autocapitalize": "none", "maxlength": "40"})
                field.error_messages["required"] = _TYPE_CODE


class LoginForm(Look, base.LoginForm):
    labels = {"login": EMAIL, "password": PASSWORD}


class SignupForm(Look, base.SignupForm):
    labels = {"email": EMAIL, "password1": PASSWORD}
    helps = {"password1": PASSWORD_HELP}
    account_already_exists: bool

    def try_save(self, request: HttpRequest) -> tuple[User | None, HttpResponse | None]:
        """A known address gets the same answer after the same work: hashing a password is what takes the time. Of two
        that come at once with the same address one finds it taken."""
        if self.account_already_exists:
            make_password(self.cleaned_data["password1"])
        else:
            try:
                with transaction.atomic():
                    return super().try_save(request)  # type: ignore[no-any-return]
            except IntegrityError:
                self.account_already_exists = True
        email = self.cleaned_data["email"]
        return None, flows.signup.prevent_enumeration(request, email=email)


class AddEmailForm(Look, base.AddEmailForm):
    labels = {"email": _("New e-mail address")}


class OnePassword(Look):
    """No second field for the same password."""

    labels = {"oldpassword": _("Your password until now"), "password1": NEW_PASSWORD}
    helps = {"password1": PASSWORD_HELP}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        del self.fields["password2"]


class ChangePasswordForm(OnePassword, base.ChangePasswordForm):
    pass


class SetPasswordForm(OnePassword, base.SetPasswordForm):
    pass


class ResetPasswordForm(Look, base.ResetPasswordForm):
    labels = {"email": EMAIL}


class ResetPasswordKeyForm(OnePassword, base.ResetPasswordKeyForm):
    def save(self) -> None:
        """The link came by mail, so the mailbox is theirs: no code is asked for on top of it."""
        super().save()
        addresses.keep_as_proven(self.user)


class ReauthenticateForm(Look, base.ReauthenticateForm):
    labels = {"password": PASSWORD}


class ConfirmCodeForm(Look, base.ConfirmEmailVerificationCodeForm):
    labels = {"code": _("Code")}


class SecondFactor(Look):
    """A code of the app, or a recovery code. It is good once."""

    labels = {"code": _("Code")}
    user: User

    def clean_code(self) -> str:
        code: str = super().clean_code()  # type: ignore[misc]
        used = self.authenticator.type == second_factor.TOTP  # type: ignore[attr-defined]
        if used and not second_factor.is_first_use(self.user, code):
            raise mfa_adapter().validation_error("incorrect_code")
        return code


class AuthenticateForm(SecondFactor, mfa.AuthenticateForm):
    pass


class AuthenticateAgainForm(SecondFactor, mfa.ReauthenticateForm):
    pass


class ActivateForm(Look, ActivateTOTPForm):
    labels = {"code": _("Code that the app shows")}
