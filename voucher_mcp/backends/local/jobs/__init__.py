"""Work that goes on after a call: imports, bulk updates, exports."""
