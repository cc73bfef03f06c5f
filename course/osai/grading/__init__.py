"""Grading with nbgrader: works on any nbgrader course directory, knows nothing of the chatbot."""
