def tokens_per_syllable(tokenizer, text):
    # Sample answer for rehearsals. Its mistake: characters are taken for syllables.
    tokens = tokenizer.encode(text)
    return len(tokens) / len(text)
