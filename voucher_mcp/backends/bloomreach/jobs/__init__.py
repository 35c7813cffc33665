"""Starting an import that somebody defined in the product."""
