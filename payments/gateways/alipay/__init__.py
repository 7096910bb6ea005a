"""Alipay: the classic gateway (gateway.do, format JSON, version 1.0) with RSA2 signatures, in key or certificate mode.

Provider's pages: opendocs.alipay.com/open/270/105898 (page pay), /203/107090 (wap), /204/105465 (app), /194/106078
(precreate), /204/105301 (asynchronous notice), /291/105974 (signing), /291/106118 (verifying).

Here: the words and limits (`words`), what is signed (`signing`), one call (`wire`), the posts and the way back
(`notices`), the daily bill (`bills`), the gateway itself (`gateway`). Not here: ciphers (`gateways.crypto`), decisions.
"""

from payments.gateways.alipay.gateway import AlipayGateway
from payments.gateways.alipay.notices import Returned
from payments.gateways.alipay.wire import Config

__all__ = ["AlipayGateway", "Config", "Returned"]
