"""People and the tokens and keys that speak for them. Who may do what with them: accounts.authentication."""

from accounts.models.api_keys import ApiKey
from accounts.models.tokens import UserToken
from accounts.models.users import User, UserManager, normalise_email
from accounts.models.wechat import WeChatIdentity

__all__ = ["ApiKey", "User", "UserManager", "UserToken", "WeChatIdentity", "normalise_email"]
