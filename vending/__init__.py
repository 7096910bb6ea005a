"""Vending: machines, the sessions of people in front of them, and the print jobs they carry out."""
