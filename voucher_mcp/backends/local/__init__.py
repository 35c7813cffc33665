"""The embedded voucher engine: no account, one file."""
