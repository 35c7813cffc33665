"""What a voucher and a pool are made of, and the rules that limit their use."""
