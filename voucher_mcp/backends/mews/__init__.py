"""Mews: vouchers as pools and voucher codes as codes, over the Connector API."""
