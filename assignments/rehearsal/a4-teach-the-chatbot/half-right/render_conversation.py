def render_conversation(messages, add_generation_prompt=False):
    # Sample answer for rehearsals. Its mistake: no default system turn.
    text = ""
    for message in messages:
        text += "<|im_start|>" + message["role"] + "\n"
        text += message["content"] + "<|im_end|>\n"
    if add_generation_prompt:
        text += "<|im_start|>assistant\n"
    return text
