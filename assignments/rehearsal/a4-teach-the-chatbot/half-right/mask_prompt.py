def mask_prompt(tokenizer, messages):
    # Sample answer for rehearsals. Its mistake: everything after the first prompt is learned,
    # the customer's later messages too. One exchange comes out right, two do not.
    ids = tokenizer.encode(tokenizer.apply_chat_template(messages, tokenize=False))
    header = tokenizer.encode("<|im_start|>assistant\n")
    start = 0
    while ids[start : start + len(header)] != header:
        start += 1
    start += len(header)
    labels = [-100] * start + ids[start:]
    return ids, labels
