"""Asking the vendor: sign-in, requests, and lists read to where they are needed."""
