"""Single codes with what they are worth."""
