"""Users and groups: people with an e-mail address, and groups (support, finance: accounts.services.seeding).

Only superusers hand out rights beyond groups, and only they change superusers: nobody raises themselves.
"""

from __future__ import annotations

from typing import Any

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin as BaseGroupAdmin
from django.contrib.auth.admin import UserAdmin as BaseUserAdmin
from django.contrib.auth.models import Group
from django.db import transaction
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display
from unfold.enums import ActionVariant
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget

from accounts.models import User, normalise_email
from accounts.services import addresses, second_factor, tokens
from pimpshop.core.admin import finding, people, timeline, words
from pimpshop.core.admin.acting import WHY, Act, Doing
from pimpshop.core.admin.base import KeptAdmin
from pimpshop.core.admin.questions import Question, questions

# allauth's rows: an address is kept beside its user's e-mail, a second factor is a secret.
for _model in (Group, EmailAddress, Authenticator):
    admin.site.unregister(_model)


def _remove_factor(user: User, doing: Doing) -> bool:
    return second_factor.remove(user)


class NewPasswordForm(AdminPasswordChangeForm):
    """A password that staff set ends the person's tokens, as one that they set themselves."""

    def save(self, commit: bool = True) -> Any:
        with transaction.atomic():
            tokens.revoke_all(self.user)
            return super().save(commit)


class NewUserForm(UserCreationForm):
    class Meta:
        model = User
        fields = ("email",)

    def clean_username(self) -> None:
        """There is no user name: the e-mail's own uniqueness is checked by the field."""

    def clean_email(self) -> str | None:
        return normalise_email(self.cleaned_data["email"])


class UserForm(UserChangeForm):
    class Meta:
        model = User
        fields = "__all__"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "groups" in self.fields:
            self.fields["groups"].help_text = _("What somebody at the desk may see and do.")

    def clean_email(self) -> str | None:
        return normalise_email(self.cleaned_data.get("email"))


@admin.register(User)
class UserAdmin(KeptAdmin, BaseUserAdmin):  # type: ignore[misc]
    form = UserForm
    add_form = NewUserForm
    change_password_form = NewPasswordForm
    acts = (
        Act(
            "remove-second-factor",
            _("Remove the second factor"),
            _("For somebody who has lost the phone and the recovery codes. Be sure who is asking."),
            _remove_factor,
            reason=WHY,
            icon="phonelink_erase",
            variant=ActionVariant.DANGER,
            possible=second_factor.is_set,
            on_lists=False,
        ),
    )
    list_display = ("headline", "role", "is_active", "joined", "seen")
    sortable_by = ()  # as long as there are people: the newest first
    list_filter = (
        questions(
            Question("staff", _("staff"), lambda rows: rows.filter(is_staff=True)),
            Question("off", _("switched off"), lambda rows: rows.filter(is_active=False)),
        ),
        "groups",
    )
    search_fields = ("email",)
    ordering = ("-pk",)
    filter_horizontal = ()
    fieldsets = (
        (None, {"fields": ("email", "name", "language", "password")}),
        (_("May do"), {"fields": ("is_active", "is_staff", "groups", "is_superuser")}),
        (_("Numbers and times"), {"fields": ("public_id", "last_login", "date_joined")}),
    )
    add_fieldsets = ((None, {"fields": ("email", "password1", "password2")}),)
    readonly_fields = ("public_id", "last_login", "date_joined")
    change_form_outer_after_template = "admin/timeline.html"

    def add_to_page(self, request: HttpRequest, obj: User, context: dict[str, Any]) -> None:
        """Everything about them in one list by time, for whoever may see orders."""
        super().add_to_page(request, obj, context)
        if request.user.has_perm("orders.view_order"):
            context["told"] = people.tell(obj.pk, request.GET.get("before", ""))
            context["lanes"] = timeline.LANES

    def formfield_for_manytomany(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """A handful of groups: boxes to tick instead of two long lists."""
        boxes = UnfoldAdminCheckboxSelectMultipleWidget()
        return super().formfield_for_manytomany(db_field, request, **{**kwargs, "widget": boxes})

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).prefetch_related("groups")

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> Any:
        return KeptAdmin.get_search_results(self, request, queryset, search_term)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        fixed = super().get_readonly_fields(request, obj)
        return fixed if request.user.is_superuser else (*fixed, "is_superuser")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        if obj is not None and obj.is_superuser and not request.user.is_superuser:
            return False
        return super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Orders name people: a user is switched off instead."""
        return False

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        """Who sits at the desk vouches for the address."""
        with transaction.atomic():
            super().save_model(request, obj, form, change)
            if not change or "email" in form.changed_data:
                addresses.keep_as_proven(obj)

    def audit_subject(self, obj: User) -> str:
        return f"user {obj.pk}"

    @display(description=_("user"), header=True, ordering="email")
    def headline(self, user: User) -> tuple[str, str]:
        return str(user), user.name

    @words.labelled(_("role"))
    def role(self, user: User) -> tuple[str, Any]:
        if user.is_superuser:
            return "danger", _("superuser")
        if user.is_staff:
            return "info", ", ".join(group.name for group in user.groups.all()) or _("staff without a group")
        return "", _("shopper")

    @display(description=_("joined"), ordering="date_joined")
    def joined(self, user: User) -> str:
        return words.ago(user.date_joined)

    @display(description=_("last log-in"), ordering="last_login")
    def seen(self, user: User) -> str:
        return words.ago(user.last_login)


@admin.register(Group)
class GroupAdmin(KeptAdmin, BaseGroupAdmin):  # type: ignore[misc]
    """Groups are rights: only superusers change them."""

    search_fields = ("name",)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(request.user.is_superuser)

    has_add_permission = has_change_permission
    has_delete_permission = has_change_permission


@finding.finder("user", permission="accounts.view_user")
def _user(number: str) -> User | None:
    return User.objects.filter(email=normalise_email(number)).first() if "@" in number else None
