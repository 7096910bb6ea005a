"""The sandbox's own pages and its control API: index, fault switchboard, call log. Provider pages are the providers'."""
