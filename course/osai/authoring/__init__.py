"""For those who write the course: run and save lessons, check their grammar, write derived text."""
