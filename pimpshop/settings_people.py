"""Settings of people: the user model, passwords, logging in (django-allauth), the second factor, and limits of staff.

Cookies, https and hosts follow PUBLIC_BASE_URL in pimpshop.settings. The pages are templates/account and templates/mfa,
what happens is accounts.adapters (and orders.adapters above it).
"""

from __future__ import annotations

from pimpshop.environment import env

AUTH_USER_MODEL = "accounts.User"
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "accounts.services.passwords.LongEnough"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
SESSION_COOKIE_AGE = 14 * 24 * 3600
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = ACCOUNT_LOGOUT_REDIRECT_URL = "/"  # the first is the last resort of the adapter

# --- Logging in -------------------------------------------------------------------------------------------------------
ACCOUNT_ADAPTER = "orders.adapters.AccountAdapter"
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_PREVENT_ENUMERATION = True
#: A code, not a link: who types it has the mailbox *and* the password. A link in a stranger's mail, pressed by the
#: owner of the address, would give what waits for that address to whoever chose the password.
ACCOUNT_EMAIL_VERIFICATION = "mandatory"
ACCOUNT_EMAIL_VERIFICATION_BY_CODE_ENABLED = True
ACCOUNT_EMAIL_VERIFICATION_SUPPORTS_RESEND = True
ALLAUTH_USER_CODE_FORMAT = {"numeric": True, "length": 8, "dashed": True}
#: One address each; another one takes its place when it is proven.
ACCOUNT_CHANGE_EMAIL = True
ACCOUNT_REAUTHENTICATION_REQUIRED = True
ACCOUNT_LOGIN_ON_PASSWORD_RESET = True
PASSWORD_RESET_TIMEOUT = 24 * 3600
ACCOUNT_EMAIL_NOTIFICATIONS = True
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
#: allauth's own are kept but for codes by mail: 8 digits stand three guesses a code and six codes in ten minutes.
ACCOUNT_RATE_LIMITS = {"confirm_email": "1/10s/key,6/10m/key"}
ACCOUNT_FORMS = {
    "login": "accounts.forms.LoginForm",
    "signup": "accounts.forms.SignupForm",
    "add_email": "accounts.forms.AddEmailForm",
    "change_password": "accounts.forms.ChangePasswordForm",
    "set_password": "accounts.forms.SetPasswordForm",
    "reset_password": "accounts.forms.ResetPasswordForm",
    "reset_password_from_key": "accounts.forms.ResetPasswordKeyForm",
    "reauthenticate": "accounts.forms.ReauthenticateForm",
    "confirm_email_verification_code": "accounts.forms.ConfirmCodeForm",
}

# --- Second factor ----------------------------------------------------------------------------------------------------
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes"]
MFA_TOTP_ISSUER = "pimpshop"
MFA_ADAPTER = "accounts.adapters.SecondFactorAdapter"
MFA_TOTP_TOLERANCE = (
    1  # thirty seconds early or late; that a code is good once is accounts.services.second_factor's
)
MFA_FORMS = {
    "authenticate": "accounts.forms.AuthenticateForm",
    "reauthenticate": "accounts.forms.AuthenticateAgainForm",
    "activate_totp": "accounts.forms.ActivateForm",
}

# --- Limits of staff --------------------------------------------------------------------------------------------------
#: Minor units that staff move alone, at once and in a day (UTC). Above it, or in another currency, a second person decides.
_ALONE = {"GBP": 10000, "EUR": 10000, "USD": 10000, "CNY": 100000, "CREDITS": 10000}
STAFF_SECOND_PERSON_MINOR = env.dict("STAFF_SECOND_PERSON_MINOR", cast={"value": int}, default=_ALONE)
_DAILY = {currency: 5 * minor for currency, minor in _ALONE.items()}
STAFF_PER_DAY_MINOR = env.dict("STAFF_PER_DAY_MINOR", cast={"value": int}, default=_DAILY)
