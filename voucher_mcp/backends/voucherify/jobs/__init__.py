"""Imports, bulk updates and exports."""
