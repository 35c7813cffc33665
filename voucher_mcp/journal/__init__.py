"""What was written: keys, first results and the audit trail, on the engine and on vendors."""
