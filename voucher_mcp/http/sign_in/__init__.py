"""Who sends a request: fixed tokens, and tokens of the company's own issuer."""
