"""Pages of payments: choosing a way and paying (`pay`), coming back from a provider and its QR codes (`back`). Doors."""
