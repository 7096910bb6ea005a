"""Seed 1's endpoints: sessions at a machine (`sessions`), what machines poll and staff debug (`machines`)."""
