"""Asking the vendor: sign-in, requests, and lists read page by page."""
