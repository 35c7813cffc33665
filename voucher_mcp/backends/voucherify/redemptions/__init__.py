"""Validating, redeeming and rolling back."""
