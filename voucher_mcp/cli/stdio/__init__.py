"""Standard input and output as the transport of the protocol."""
