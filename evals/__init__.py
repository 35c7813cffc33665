"""Tasks in plain words, to see how many calls and bytes an agent needs for them."""
