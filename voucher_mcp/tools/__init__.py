"""What the agent sees: a module per toolset, the registry that declares them, and the envelope."""
