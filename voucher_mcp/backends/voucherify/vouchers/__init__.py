"""Single vouchers, their balances and ledgers."""
