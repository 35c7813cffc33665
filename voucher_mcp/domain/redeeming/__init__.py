"""Orders, and what vouchers take off them."""
