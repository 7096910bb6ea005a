"""Pages of the catalogue: the shop window (`pages`), pictures by signed link (`pictures`), the studio (`studio`)."""
