"""The help desk: the chatbot connected to a shop, its customers and the people behind it."""
