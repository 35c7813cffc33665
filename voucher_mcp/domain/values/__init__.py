"""Single values: texts, times, money and fields, how they are read and shown."""
