"""WeChat Pay (API v3, mainland merchants): the gateway `wechatpay`. Import this package, not its modules.

`config` what it needs to know, `words` their words to ours, `signing` the strings that are signed, `keys` whose signature
counts (both key modes), `wire` one signed call, `messages` what they say as our data, `bills` the daily statement,
`gateway` the verbs. Source: https://pay.weixin.qq.com/doc/v3/merchant/4012062524 and the official SDKs.
"""

from payments.gateways.wechatpay.config import CertificateStore, Config
from payments.gateways.wechatpay.gateway import WeChatPayGateway

__all__ = ["CertificateStore", "Config", "WeChatPayGateway"]
