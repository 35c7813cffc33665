"""Work that goes on after a call: imports that somebody defined in the product."""
