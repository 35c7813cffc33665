"""Who holds which voucher."""
