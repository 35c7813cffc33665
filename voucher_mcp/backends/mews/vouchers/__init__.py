"""Single vouchers: codes with what they are worth."""
