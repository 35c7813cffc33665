"""Work that goes on in the background: imports, bulk updates, exports."""
