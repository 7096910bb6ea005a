"""WeChat's open API as mini programs know it: log-in by code, access tokens, delivery notices, content checks."""
