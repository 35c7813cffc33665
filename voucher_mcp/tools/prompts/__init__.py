"""Prompts: what people often want done, in words that an agent follows with the tools that it may use."""
