"""What people rather look at than read."""
