"""What files of codes and of vouchers say: from bytes to rows, the same for every importer."""
