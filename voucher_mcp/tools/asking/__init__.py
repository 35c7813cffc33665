"""Asking a person before something is done."""
