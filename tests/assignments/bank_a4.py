"""Answers to assignment 4 as students really give them, and the message each must get.

A wrong answer has the most points it may still earn and a piece of the message it must get. Right
alternatives solve a task in another way than the source and must get all points. All run in the
notebook's own namespace; `right_train_tiny` there is the source's answer to the last task.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Wrong:
    """A wrong answer: the points it may still earn at most, and what one message must say."""

    task: str
    name: str
    source: str
    message: str
    at_most: float


@dataclass(frozen=True)
class Right:
    """An answer that is right in another way."""

    task: str
    name: str
    source: str


WRONG = [
    # ------------------------------------------------------------- render_conversation (15)
    Wrong(
        "render_conversation",
        "default system turn forgotten",
        """
def render_conversation(messages, add_generation_prompt=False):
    text = "".join(f"<|im_start|>{m['role']}\\n{m['content']}<|im_end|>\\n" for m in messages)
    return text + "<|im_start|>assistant\\n" * add_generation_prompt
""",
        "The default system turn was forgotten",
        8,
    ),
    Wrong(
        "render_conversation",
        "default system turn always added",
        """
def render_conversation(messages, add_generation_prompt=False):
    turns = [{"role": "system", "content": DEFAULT_SYSTEM}] + messages
    text = "".join(f"<|im_start|>{m['role']}\\n{m['content']}<|im_end|>\\n" for m in turns)
    return text + "<|im_start|>assistant\\n" * add_generation_prompt
""",
        "although the conversation has a system turn of its own",
        3,
    ),
    Wrong(
        "render_conversation",
        "generation prompt always",
        """
def render_conversation(messages, add_generation_prompt=False):
    if messages[0]["role"] != "system":
        messages = [{"role": "system", "content": DEFAULT_SYSTEM}] + messages
    text = "".join(f"<|im_start|>{m['role']}\\n{m['content']}<|im_end|>\\n" for m in messages)
    return text + "<|im_start|>assistant\\n"
""",
        "although it was not asked for",
        0,
    ),
    Wrong(
        "render_conversation",
        "generation prompt never",
        """
def render_conversation(messages, add_generation_prompt=False):
    if messages[0]["role"] != "system":
        messages = [{"role": "system", "content": DEFAULT_SYSTEM}] + messages
    return "".join(f"<|im_start|>{m['role']}\\n{m['content']}<|im_end|>\\n" for m in messages)
""",
        "The generation prompt is missing",
        8,
    ),
    Wrong(
        "render_conversation",
        "end token of the last turn left out",
        """
def render_conversation(messages, add_generation_prompt=False):
    if messages[0]["role"] != "system":
        messages = [{"role": "system", "content": DEFAULT_SYSTEM}] + messages
    text = "<|im_end|>\\n".join(f"<|im_start|>{m['role']}\\n{m['content']}" for m in messages)
    return text + "<|im_end|>\\n<|im_start|>assistant\\n" * add_generation_prompt
""",
        "A turn has no end token",
        0,
    ),
    Wrong(
        "render_conversation",
        "no line break after the end token",
        """
def render_conversation(messages, add_generation_prompt=False):
    if messages[0]["role"] != "system":
        messages = [{"role": "system", "content": DEFAULT_SYSTEM}] + messages
    text = "\\n".join(f"<|im_start|>{m['role']}\\n{m['content']}<|im_end|>" for m in messages)
    return text + "\\n<|im_start|>assistant\\n" * add_generation_prompt
""",
        "Only white space differs",
        0,
    ),
    Wrong(
        "render_conversation",
        "changes the list it gets",
        """
def render_conversation(messages, add_generation_prompt=False):
    if messages[0]["role"] != "system":
        messages.insert(0, {"role": "system", "content": DEFAULT_SYSTEM})
    text = "".join(f"<|im_start|>{m['role']}\\n{m['content']}<|im_end|>\\n" for m in messages)
    return text + "<|im_start|>assistant\\n" * add_generation_prompt
""",
        "changed the list it was given",
        8,
    ),
    Wrong(
        "render_conversation",
        "calls the template",
        """
def render_conversation(messages, add_generation_prompt=False):
    return tokenizer.apply_chat_template(
        messages, tokenize=False, add_generation_prompt=add_generation_prompt
    )
""",
        "Write this one by hand",
        0,
    ),
    Wrong(
        "render_conversation",
        "prints instead of returning",
        """
def render_conversation(messages, add_generation_prompt=False):
    for m in messages:
        print(f"<|im_start|>{m['role']}\\n{m['content']}<|im_end|>")
""",
        "Your function returned NoneType",
        0,
    ),
    # ------------------------------------------------------------- mask_prompt (25)
    Wrong(
        "mask_prompt",
        "nothing masked",
        """
def mask_prompt(tokenizer, messages):
    ids = tokenizer.encode(tokenizer.apply_chat_template(messages, tokenize=False))
    return ids, list(ids)
""",
        "The mask includes the prompt",
        8,
    ),
    Wrong(
        "mask_prompt",
        "only the first prompt masked",
        """
def mask_prompt(tokenizer, messages):
    ids = tokenizer.encode(tokenizer.apply_chat_template(messages, tokenize=False))
    first = next(i for i, m in enumerate(messages) if m["role"] == "assistant")
    prompt = tokenizer.apply_chat_template(
        messages[:first], tokenize=False, add_generation_prompt=True
    )
    start = len(tokenizer.encode(prompt))
    return ids, [-100] * start + ids[start:]
""",
        "The mask includes the prompt",
        16,
    ),
    Wrong(
        "mask_prompt",
        "only the last reply learned",
        """
def mask_prompt(tokenizer, messages):
    ids = tokenizer.encode(tokenizer.apply_chat_template(messages, tokenize=False))
    last = max(i for i, m in enumerate(messages) if m["role"] == "assistant")
    prompt = tokenizer.apply_chat_template(
        messages[:last], tokenize=False, add_generation_prompt=True
    )
    start = len(tokenizer.encode(prompt))
    end = len(tokenizer.encode(tokenizer.apply_chat_template(messages[: last + 1], tokenize=False)))
    return ids, [-100] * start + ids[start:end] + [-100] * (len(ids) - end)
""",
        "replies are learned. Every assistant turn counts",
        16,
    ),
    Wrong(
        "mask_prompt",
        "end token not trained",
        """
def mask_prompt(tokenizer, messages):
    turns = list(messages)
    if turns[0]["role"] != "system":
        turns.insert(0, {"role": "system", "content": DEFAULT_SYSTEM})
    ids, labels = [], []
    for turn in turns:
        for text, learned in (
            (f"<|im_start|>{turn['role']}\\n", False),
            (turn["content"], turn["role"] == "assistant"),
            ("<|im_end|>\\n", False),
        ):
            part = tokenizer.encode(text)
            ids += part
            labels += part if learned else [-100] * len(part)
    return ids, labels
""",
        "The end token is not trained",
        8,
    ),
    Wrong(
        "mask_prompt",
        "the opening of the assistant's turn learned",
        """
def mask_prompt(tokenizer, messages):
    turns = list(messages)
    if turns[0]["role"] != "system":
        turns.insert(0, {"role": "system", "content": DEFAULT_SYSTEM})
    ids, labels = [], []
    for turn in turns:
        part = tokenizer.encode(f"<|im_start|>{turn['role']}\\n{turn['content']}<|im_end|>\\n")
        ids += part
        labels += part if turn["role"] == "assistant" else [-100] * len(part)
    return ids, labels
""",
        "The opening of the assistant's turn carries labels",
        8,
    ),
    Wrong(
        "mask_prompt",
        "labels shifted by hand",
        """
def mask_prompt(tokenizer, messages):
    example = conversations.encode(tokenizer, [conversations.Message(**m) for m in messages])
    return list(example.ids), [*example.labels[1:], -100]
""",
        "The labels are shifted twice",
        4,
    ),
    Wrong(
        "mask_prompt",
        "zero in the place of -100",
        """
def mask_prompt(tokenizer, messages):
    example = conversations.encode(tokenizer, [conversations.Message(**m) for m in messages])
    return list(example.ids), [0 if label == -100 else label for label in example.labels]
""",
        "0 is the id of a real token",
        4,
    ),
    Wrong(
        "mask_prompt",
        "everything masked",
        """
def mask_prompt(tokenizer, messages):
    ids = tokenizer.encode(tokenizer.apply_chat_template(messages, tokenize=False))
    return ids, [-100] * len(ids)
""",
        "the model would learn nothing",
        4,
    ),
    Wrong(
        "mask_prompt",
        "reply found by searching for its words",
        """
def mask_prompt(tokenizer, messages):
    ids = tokenizer.encode(tokenizer.apply_chat_template(messages, tokenize=False))
    labels = [-100] * len(ids)
    for m in messages:
        if m["role"] == "assistant":
            body = tokenizer.encode(m["content"] + "<|im_end|>")
            at = next(i for i in range(len(ids)) if ids[i : i + len(body)] == body)
            labels[at : at + len(body)] = body
    return ids, labels
""",
        "a customer's message with the same words as the reply",
        19,
    ),
    Wrong(
        "mask_prompt",
        "default system turn forgotten",
        """
def mask_prompt(tokenizer, messages):
    ids, labels = [], []
    for turn in messages:
        head = tokenizer.encode(f"<|im_start|>{turn['role']}\\n")
        body = tokenizer.encode(f"{turn['content']}<|im_end|>")
        tail = tokenizer.encode("\\n")
        ids += head + body + tail
        labels += [-100] * len(head)
        labels += body if turn["role"] == "assistant" else [-100] * len(body)
        labels += [-100]
    return ids, labels
""",
        "The default system turn was forgotten in `ids`",
        15,
    ),
    Wrong(
        "mask_prompt",
        "generation prompt in the training text",
        """
def mask_prompt(tokenizer, messages):
    example = conversations.encode(tokenizer, [conversations.Message(**m) for m in messages])
    opening = tokenizer.encode("<|im_start|>assistant\\n")
    return [*example.ids, *opening], [*example.labels, *[-100] * len(opening)]
""",
        "`ids` ends with a generation prompt",
        12,
    ),
    Wrong(
        "mask_prompt",
        "only ids returned",
        """
def mask_prompt(tokenizer, messages):
    return tokenizer.encode(tokenizer.apply_chat_template(messages, tokenize=False))
""",
        "Return two lists: `return ids, labels`",
        0,
    ),
    # ------------------------------------------------------------- tokens_per_syllable (15)
    Wrong(
        "tokens_per_syllable",
        "characters counted",
        """
def tokens_per_syllable(tokenizer, text):
    return len(tokenizer.encode(text)) / len(text)
""",
        "Syllables were counted as characters",
        0,
    ),
    Wrong(
        "tokens_per_syllable",
        "not normalised",
        """
def tokens_per_syllable(tokenizer, text):
    syllables = re.findall(r"[^\\W\\d_]+", text)
    if not syllables:
        raise ValueError("no syllables")
    return len(tokenizer.encode(" ".join(syllables))) / len(syllables)
""",
        "The text was not brought to NFC",
        11,
    ),
    Wrong(
        "tokens_per_syllable",
        "brought to NFD",
        """
def tokens_per_syllable(tokenizer, text):
    syllables = re.findall(r"[^\\W\\d_]+", unicodedata.normalize("NFD", text))
    if not syllables:
        raise ValueError("no syllables")
    return len(tokenizer.encode(" ".join(syllables))) / len(syllables)
""",
        "The ratio is not right",
        5,
    ),
    Wrong(
        "tokens_per_syllable",
        "upside down",
        """
def tokens_per_syllable(tokenizer, text):
    syllables = re.findall(r"[^\\W\\d_]+", unicodedata.normalize("NFC", text))
    return len(syllables) / len(tokenizer.encode(" ".join(syllables)))
""",
        "The ratio is upside down",
        0,
    ),
    Wrong(
        "tokens_per_syllable",
        "signs and numbers counted as tokens",
        """
def tokens_per_syllable(tokenizer, text):
    text = unicodedata.normalize("NFC", text)
    syllables = re.findall(r"[^\\W\\d_]+", text)
    if not syllables:
        raise ValueError("no syllables")
    return len(tokenizer.encode(text)) / len(syllables)
""",
        "Numbers and signs were counted",
        2,
    ),
    Wrong(
        "tokens_per_syllable",
        "tokens not divided",
        """
def tokens_per_syllable(tokenizer, text):
    syllables = re.findall(r"[^\\W\\d_]+", unicodedata.normalize("NFC", text))
    return len(tokenizer.encode(" ".join(syllables)))
""",
        "not yet divided",
        0,
    ),
    Wrong(
        "tokens_per_syllable",
        "division by zero without letters",
        """
def tokens_per_syllable(tokenizer, text):
    syllables = re.findall(r"[^\\W\\d_]+", unicodedata.normalize("NFC", text))
    return len(tokenizer.encode(" ".join(syllables))) / len(syllables)
""",
        "stops in a division by zero",
        13,
    ),
    # ------------------------------------------------------------- reply_loss (10)
    Wrong(
        "reply_loss",
        "not shifted",
        """
def reply_loss(logits, labels):
    return torch.nn.functional.cross_entropy(logits, labels, ignore_index=-100)
""",
        "Nothing is shifted",
        3,
    ),
    Wrong(
        "reply_loss",
        "shifted twice",
        """
def reply_loss(logits, labels):
    return torch.nn.functional.cross_entropy(logits[:-2], labels[2:], ignore_index=-100)
""",
        "The labels are shifted twice",
        3,
    ),
    Wrong(
        "reply_loss",
        "summed",
        """
def reply_loss(logits, labels):
    return torch.nn.functional.cross_entropy(logits[:-1], labels[1:], reduction="sum")
""",
        "This is the sum of the losses",
        4,
    ),
    Wrong(
        "reply_loss",
        "mean over all positions",
        """
def reply_loss(logits, labels):
    losses = torch.nn.functional.cross_entropy(logits[:-1], labels[1:], reduction="none")
    return losses.mean()
""",
        "The mean goes over all positions",
        4,
    ),
    Wrong(
        "reply_loss",
        "the mask does not hold",
        """
def reply_loss(logits, labels):
    return torch.nn.functional.cross_entropy(logits[:-1], labels[1:].clamp(min=0))
""",
        "A model that is sure of every right token",
        3,
    ),
    Wrong(
        "reply_loss",
        "position 0 judged by the last logits",
        """
def reply_loss(logits, labels):
    chosen = [(i - 1, int(label)) for i, label in enumerate(labels) if label >= 0]
    return torch.stack([-torch.log_softmax(logits[at], 0)[label] for at, label in chosen]).mean()
""",
        "Is the label at position 0 left out",
        7,
    ),
    Wrong(
        "reply_loss",
        "a plain number",
        """
def reply_loss(logits, labels):
    return torch.nn.functional.cross_entropy(logits[:-1], labels[1:]).item()
""",
        "Return a tensor with one number",
        0,
    ),
    # ------------------------------------------------------------- train_tiny (15)
    Wrong(
        "train_tiny",
        "all weights trained",
        """
def train_tiny(model, examples, steps):
    optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
    losses = []
    for step in range(steps):
        one = examples[step % len(examples)]
        loss = model(input_ids=torch.tensor([one.ids]), labels=torch.tensor([one.labels])).loss
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        losses.append(loss.item())
    return model, losses
""",
        "Base weights were trained",
        10,
    ),
    Wrong(
        "train_tiny",
        "adapter merged",
        """
def train_tiny(model, examples, steps):
    trained, losses = right_train_tiny(model, examples, steps)
    return trained.merge_and_unload(), losses
""",
        "the adapter was merged into them",
        10,
    ),
    Wrong(
        "train_tiny",
        "no step taken",
        """
def train_tiny(model, examples, steps):
    from peft import LoraConfig, get_peft_model

    trained = get_peft_model(model, LoraConfig(r=8, target_modules=["q_proj", "v_proj"]))
    losses = []
    for step in range(steps):
        one = examples[step % len(examples)]
        loss = trained(input_ids=torch.tensor([one.ids]), labels=torch.tensor([one.labels])).loss
        loss.backward()
        losses.append(loss.item())
    return trained, losses
""",
        "Nothing was learned",
        10,
    ),
    Wrong(
        "train_tiny",
        "untouched model returned",
        """
def train_tiny(model, examples, steps):
    return model, [1.0] * steps
""",
        "has no adapter",
        2,
    ),
    Wrong(
        "train_tiny",
        "trained on the prompt",
        """
def train_tiny(model, examples, steps):
    unmasked = [conversations.Example(one.ids, one.ids) for one in examples]
    return right_train_tiny(model, unmasked, steps)
""",
        "The mask was not used",
        12,
    ),
    Wrong(
        "train_tiny",
        "labels shifted by hand",
        """
def train_tiny(model, examples, steps):
    shifted = [conversations.Example(one.ids, (*one.labels[1:], -100)) for one in examples]
    return right_train_tiny(model, shifted, steps)
""",
        "The labels are shifted twice",
        12,
    ),
    Wrong(
        "train_tiny",
        "uphill",
        """
def train_tiny(model, examples, steps):
    from peft import LoraConfig, get_peft_model

    torch.manual_seed(0)
    trained = get_peft_model(model, LoraConfig(r=8, target_modules=["q_proj", "v_proj"]))
    weights = [weight for weight in trained.parameters() if weight.requires_grad]
    optimizer = torch.optim.AdamW(weights, lr=3e-3, maximize=True)
    losses = []
    for step in range(steps):
        one = examples[step % len(examples)]
        loss = trained(input_ids=torch.tensor([one.ids]), labels=torch.tensor([one.labels])).loss
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        losses.append(loss.item())
    return trained, losses
""",
        "The loss rose",
        10,
    ),
    Wrong(
        "train_tiny",
        "learning rate too small",
        """
def train_tiny(model, examples, steps):
    from peft import LoraConfig, get_peft_model

    torch.manual_seed(0)
    trained = get_peft_model(model, LoraConfig(r=8, target_modules=["q_proj", "v_proj"]))
    weights = [weight for weight in trained.parameters() if weight.requires_grad]
    optimizer = torch.optim.AdamW(weights, lr=2e-5)
    losses = []
    for step in range(steps):
        one = examples[step % len(examples)]
        loss = trained(input_ids=torch.tensor([one.ids]), labels=torch.tensor([one.labels])).loss
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        losses.append(loss.item())
    return trained, losses
""",
        "the learning rate is too small",
        10,
    ),
    Wrong(
        "train_tiny",
        "only the last loss reported",
        """
def train_tiny(model, examples, steps):
    trained, losses = right_train_tiny(model, examples, steps)
    return trained, losses[-1]
""",
        "must be a list of 12 losses",
        10,
    ),
    Wrong(
        "train_tiny",
        "only the model returned",
        """
def train_tiny(model, examples, steps):
    return right_train_tiny(model, examples, steps)[0]
""",
        "Return two things",
        0,
    ),
]

RIGHT = [
    Right(
        "render_conversation",
        "recursion over the turns",
        """
def render_conversation(messages, add_generation_prompt=False):
    def turn(role, content):
        return "<|im_start|>" + role + "\\n" + content + "<|im_end|>\\n"

    def rest(turns):
        return turn(**turns[0]) + rest(turns[1:]) if turns else ""

    own = messages and messages[0]["role"] == "system"
    opening = "" if own else turn("system", DEFAULT_SYSTEM)
    return opening + rest(messages) + ("<|im_start|>assistant\\n" if add_generation_prompt else "")
""",
    ),
    Right(
        "render_conversation",
        "the template's own language",
        """
def render_conversation(messages, add_generation_prompt=False):
    from jinja2 import Template

    return Template(tokenizer.chat_template, keep_trailing_newline=True).render(
        messages=messages, add_generation_prompt=add_generation_prompt
    )
""",
    ),
    Right(
        "mask_prompt",
        "lengths of growing prefixes",
        """
def mask_prompt(tokenizer, messages):
    def encode(turns, opening=False):
        return tokenizer.encode(
            tokenizer.apply_chat_template(turns, tokenize=False, add_generation_prompt=opening)
        )

    ids = encode(messages)
    labels = [-100] * len(ids)
    for i, turn in enumerate(messages):
        if turn["role"] == "assistant":
            start, end = len(encode(messages[:i], opening=True)), len(encode(messages[: i + 1]))
            labels[start:end] = ids[start:end]
    return ids, labels
""",
    ),
    Right(
        "mask_prompt",
        "positions of characters, as tensors",
        """
def mask_prompt(tokenizer, messages):
    text = tokenizer.apply_chat_template(messages, tokenize=False)
    encoded = tokenizer(text, return_offsets_mapping=True)
    opening = "<|im_start|>assistant\\n"
    spans, at = [], 0
    while (at := text.find(opening, at)) >= 0:
        at += len(opening)
        spans.append((at, text.index("<|im_end|>", at) + len("<|im_end|>")))
    ids = torch.tensor(encoded["input_ids"])
    inside = torch.tensor(
        [any(a <= left and right <= b for a, b in spans) for left, right in encoded["offset_mapping"]]
    )
    return ids, torch.where(inside, ids, -100)
""",
    ),
    Right(
        "mask_prompt",
        "the course's own function",
        """
def mask_prompt(tokenizer, messages):
    example = conversations.encode(tokenizer, [conversations.Message(**turn) for turn in messages])
    return example.ids, example.labels
""",
    ),
    Right(
        "tokens_per_syllable",
        "letter by letter",
        """
def tokens_per_syllable(tokenizer, text):
    letters = "".join(s if s.isalpha() else " " for s in unicodedata.normalize("NFC", text))
    syllables = letters.split()
    if len(syllables) == 0:
        raise ValueError("nothing to count")
    return len(tokenizer(" ".join(syllables))["input_ids"]) / len(syllables)
""",
    ),
    Right(
        "tokens_per_syllable",
        "the course's own function, as a tensor",
        """
def tokens_per_syllable(tokenizer, text):
    from osai.chatbot import tokens

    return torch.tensor(tokens.tokens_per_syllable(tokenizer, text), dtype=torch.float64)
""",
    ),
    Right(
        "reply_loss",
        "logarithms by hand",
        """
def reply_loss(logits, labels):
    guesses, right = logits[:-1], labels[1:]
    known = right != -100
    guesses, right = guesses[known], right[known]
    return (guesses.logsumexp(dim=1) - guesses[range(len(right)), right]).mean()
""",
    ),
    Right(
        "reply_loss",
        "a loop",
        """
def reply_loss(logits, labels):
    total, count = 0, 0
    for i in range(1, len(labels)):
        if labels[i] != -100:
            total = total - torch.log(torch.softmax(logits[i - 1].double(), 0)[labels[i]])
            count += 1
    return total / count
""",
    ),
    Right(
        "train_tiny",
        "another rank, all linear layers, plain descent",
        """
def train_tiny(model, examples, steps):
    from peft import LoraConfig, get_peft_model

    torch.manual_seed(1)
    model = get_peft_model(model, LoraConfig(r=4, lora_alpha=32, target_modules="all-linear"))
    optimizer = torch.optim.Adam((w for w in model.parameters() if w.requires_grad), lr=5e-3)
    losses = torch.zeros(steps)
    for step in range(steps):
        one = examples[step % len(examples)]
        optimizer.zero_grad()
        loss = model(input_ids=torch.tensor([one.ids]), labels=torch.tensor([one.labels])).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        losses[step] = loss.detach()
    return model, losses
""",
    ),
    Right(
        "train_tiny",
        "a low-rank adapter without peft",
        """
def train_tiny(model, examples, steps):
    class Adapted(torch.nn.Module):
        def __init__(self, base):
            super().__init__()
            self.base = base
            self.down = torch.nn.Parameter(torch.randn(8, base.in_features) / base.in_features**0.5)
            self.up = torch.nn.Parameter(torch.zeros(base.out_features, 8))

        def forward(self, x):
            return self.base(x) + x @ self.down.T @ self.up.T

    torch.manual_seed(0)
    model.requires_grad_(False)
    for layer in model.model.layers:
        layer.self_attn.q_proj = Adapted(layer.self_attn.q_proj)
        layer.self_attn.v_proj = Adapted(layer.self_attn.v_proj)
    optimizer = torch.optim.AdamW([w for w in model.parameters() if w.requires_grad], lr=1e-2)
    losses = []
    for step in range(steps):
        one = examples[step % len(examples)]
        loss = model(input_ids=torch.tensor([one.ids]), labels=torch.tensor([one.labels])).loss
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        losses.append(float(loss.detach()))
    return model, losses
""",
    ),
]
