"""A first contribution, practised on this computer with real git and without a network."""
