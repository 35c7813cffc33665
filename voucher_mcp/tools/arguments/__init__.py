"""What clients send: checked, forgiven and described."""
