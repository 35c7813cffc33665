"""The Voucherify backend: a voucher system behind a REST API (https://docs.voucherify.io)."""
