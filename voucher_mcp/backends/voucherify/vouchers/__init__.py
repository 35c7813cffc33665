"""Single vouchers: their lives, their balances, and their list."""
