"""The tools, a module per toolset."""
