"""Peers: what somebody would otherwise install, in projects of their own."""
