"""What commands do with a database as a whole."""
