"""Where rows are kept: the engine's, and the journal of writes on vendors."""
