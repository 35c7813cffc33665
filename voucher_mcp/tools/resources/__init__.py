"""What clients read by an address: vouchers, pools, changes and finished exports."""
