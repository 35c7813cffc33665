"""What who looks after the server can follow: each request, and numbers of all."""
