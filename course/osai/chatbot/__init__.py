"""A small open chatbot for a shop in Hanoi: model, tokens, conversations, training, reply, checks."""
