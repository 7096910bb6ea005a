"""Machines, sessions, print jobs and the catalogue sync."""
