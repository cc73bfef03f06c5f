"""How the tables became what they are: a step a file, run by Alembic when the desk starts."""
