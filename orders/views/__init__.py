"""Pages of orders: packs and plans (`goods`), the summary at a machine (`summary`), the status page (`status`). Doors."""
