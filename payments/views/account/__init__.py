"""/account/: a shopper's own pages, for whoever is logged in. They stand here because they show money of every kind; what
a page changes is the service's of the app whose rows they are. Nobody's else: other people's rows are not found (404)."""
