"""WeChat Pay API v3 as its documents describe it: orders, refunds, notices, bills, and the wallet in the payer's hand."""
