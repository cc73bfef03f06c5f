"""Who could make a model again? Counting operations, GPU hours, prices and tokens (lesson 08).

    from osai.openness import compute

    compute.training_flop(0.135, 2.1)              # 6ND: operations to train SmolLM2-135M
    compute.gpu_hours(1.7e21)                      # on an H100 that is used to 40 percent
    compute.gaps()                                 # 6ND beside what the developer reported
    compute.data_by("release year")                # what is known of training data
    compute.same_message()                         # tokens for one meaning in two languages

Sizes are in billions of parameters and trillions of tokens, as in `data/openness/models.csv`.
What makers and developers published stands beside it in `gpus.csv` and `training_runs.csv`.
What a model of cost needs and nobody measured (utilisation, rent) is in `ASSUMED`, with its range.
"""

from __future__ import annotations

import dataclasses
import functools
import math
from typing import TYPE_CHECKING, Any

from osai import tables
from osai.openness.yardsticks import TOPIC, OpennessError, read

if TYPE_CHECKING:
    import pandas as pd

OPERATIONS = 6
"""Operations for one parameter and one token: two forward, four backward. The rule leaves out
attention, and holds for dense models; in a mixture of experts only active parameters count.
Source: Kaplan and others (2020), Scaling Laws for Neural Language Models, arXiv:2001.08361, who
leave the embedding out of N; here N is all parameters."""

GPU = "H100 SXM"
"""The GPU for which this module counts hours, as named in `gpus.csv`."""


@dataclasses.dataclass(frozen=True)
class Assumption:
    """A number that the cost model needs and that nobody measured for your case."""

    name: str
    value: float
    low: float
    high: float
    unit: str
    why: str


ASSUMED = (
    Assumption("utilisation", 40, 15, 55, "percent of the peak",
               "share of a GPU's peak that training really uses; see `implied_utilisation`"),
    Assumption("gpu_hour", 2.5, 1.5, 7, "USD an hour",
               "rent of one H100; offers differ by supplier, contract and month"),
    Assumption("gpu_tokens", 1500, 100, 5000, "tokens a second",
               "what one rented GPU writes with a small model and many customers at once"),
)  # fmt: skip
"""Assumptions of this course. Change them: no result that hangs on one of them is a finding."""


def assumed(name: str) -> Assumption:
    """Return an assumption by its name. Raises OpennessError for an unknown one."""
    for one in ASSUMED:
        if one.name == name:
            return one
    known = ", ".join(one.name for one in ASSUMED)
    raise OpennessError(f"There is no assumption {name!r}. There are: {known}.")


# --- 6ND ---------------------------------------------------------------------------------------


def training_flop(parameters_b: float, tokens_t: float) -> float:
    """Return the operations (FLOP) of training by the rule 6ND.

    parameters_b: billions of parameters used for each token. tokens_t: trillions of tokens read.
    Raises OpennessError if one is not above 0.
    """
    _positive(parameters_b=parameters_b, tokens_t=tokens_t)
    return OPERATIONS * parameters_b * 1e9 * tokens_t * 1e12


@functools.cache
def peak(gpu: str = GPU) -> float:
    """Return the greatest speed of a GPU in theory, by its maker: operations a second.

    gpu: as in the table openness/gpus. Raises OpennessError for one that is not there.
    """
    speeds = tables.load(TOPIC, "gpus").data.set_index("gpu")["peak_flop_s"]
    if gpu not in speeds:
        raise OpennessError(f"There is no GPU {gpu!r}. There are: {', '.join(speeds.index)}.")
    return float(speeds[gpu])


def gpu_hours(flop: float, utilisation: float = 40, gpu: str = GPU) -> float:
    """Return the hours that one GPU would need.

    utilisation: percent of the peak that is really used. gpu: see `peak`.
    Raises OpennessError for a utilisation outside 0 to 100, or what is not above 0.
    """
    _positive(flop=flop, utilisation=utilisation)
    if utilisation > 100:
        raise OpennessError(f"A GPU cannot be used to {utilisation} percent of its peak.")
    return flop / (peak(gpu) * utilisation / 100) / 3600


def training_cost(flop: float, utilisation: float = 40, gpu_hour: float = 2.5) -> float:
    """Return the rent in USD for one successful training run: no staff, no data, no failed runs.

    gpu_hour: USD an hour for one GPU. Raises OpennessError as `gpu_hours` does.
    """
    _positive(gpu_hour=gpu_hour)
    return gpu_hours(flop, utilisation) * gpu_hour


def active_parameters(row: dict[str, Any]) -> float:
    """Return the parameters (billions) used for a token: the active ones where they are known."""
    import pandas as pd

    active = row.get("active_parameters_b")
    return float(row["parameters_b"] if pd.isna(active) else active)


def gaps() -> pd.DataFrame:
    """Return 6ND beside the compute that the developers themselves reported.

    ratio: 6ND divided by the reported figure. Estimates by others are left out, as most of them
    were found by the same rule; a developer may have used it too, so agreement is no full proof.
    """
    data = tables.load(TOPIC, "models").data
    data = data[data["compute_basis"] == "reported"]
    data = data.dropna(subset=["parameters_b", "training_tokens_t"]).copy()
    rows = data.to_dict("records")
    data["six_nd"] = [
        training_flop(active_parameters(row), row["training_tokens_t"]) for row in rows
    ]
    data["ratio"] = data["six_nd"] / data["training_compute_flop"]
    wanted = ["model", "parameters_b", "training_tokens_t", "training_compute_flop", "six_nd"]
    return data[[*wanted, "ratio"]].sort_values("ratio").reset_index(drop=True)


def implied_utilisation() -> pd.DataFrame:
    """Return, for runs with published GPU hours, which part of the peak the compute stands for.

    utilisation: percent. hours: how they are known; compute: who found the operations. The hours
    may hold more than the one run (restarts, tests, later stages), and the compute may leave work
    out: then the true utilisation was higher.
    """
    runs = tables.load(TOPIC, "training_runs").data
    models = tables.load(TOPIC, "models").data.set_index("model").loc[runs["model"]]
    speeds = [peak(gpu) for gpu in runs["gpu"]]
    flop = models["training_compute_flop"].to_numpy()
    return runs[["model"]].assign(
        training_compute_flop=flop,
        compute=models["compute_basis"].to_numpy(),
        gpu_hours=runs["gpu_hours"],
        hours=runs["basis"],
        utilisation=100 * flop / (runs["gpu_hours"] * 3600 * speeds),
    )


def final_runs(utilisation: float = 40, gpu_hour: float = 2.5) -> pd.DataFrame:
    """Return what the last training run of each model with known compute would cost in rent.

    usd: see `training_cost`; as if every model had been trained on H100. covers: what the compute
    counts where it is not all the training (the true cost is then higher).
    """
    data = tables.load(TOPIC, "models").data.dropna(subset=["training_compute_flop"]).copy()
    data["usd"] = [
        training_cost(flop, utilisation, gpu_hour) for flop in data["training_compute_flop"]
    ]
    wanted = ["model", "release_month", "training_data", "training_compute_flop", "usd"]
    found = data[[*wanted, "compute_covers"]].rename(columns={"compute_covers": "covers"})
    return found.sort_values("usd").reset_index(drop=True)


# --- what is known of the data -----------------------------------------------------------------

DATA_WORDS = ("open", "partial", "closed", "not known")
GROUPINGS = ("release year", "training compute", "licence")


def data_by(grouping: str, only_open_licence: bool = False) -> pd.DataFrame:
    """Count models with public weights by what is known of their training data.

    grouping: one of `GROUPINGS`. only_open_licence: only licences approved by the OSI.
    Rows are groups, columns `DATA_WORDS`. Raises OpennessError for an unknown grouping.
    """
    import pandas as pd

    if grouping not in GROUPINGS:
        raise OpennessError(f"{grouping!r} is no grouping. Choose one of: {', '.join(GROUPINGS)}.")
    data = tables.load(TOPIC, "models").data
    data = data[data["weights_available"] == "yes"]
    if only_open_licence:
        data = data[data["osi_approved"] == "yes"]
    words = data["training_data"].fillna("not known")
    if grouping == "release year":
        groups = data["release_month"].str[:4].fillna("not known")
    elif grouping == "licence":
        groups = data["osi_approved"].map({"yes": "approved by the OSI", "no": "not approved"})
    else:
        groups = data["training_compute_flop"].map(_size)
    counted = pd.crosstab(groups, words).reindex(columns=DATA_WORDS, fill_value=0)
    order = [*SIZES, "not known"] if grouping == "training compute" else sorted(counted.index)
    return counted.reindex([name for name in order if name in counted.index])


SIZES = ("below 10^22", "10^22 to 10^23", "10^23 to 10^24", "10^24 to 10^25", "above 10^25")


def _size(flop: float) -> str:
    if math.isnan(flop):
        return "not known"
    return SIZES[min(max(math.floor(math.log10(flop)) - 21, 0), len(SIZES) - 1)]


DATA_QUESTIONS = {
    "training_data": "Can the data itself be had?",
    "data_documentation": "Is it described, so that one could collect it again?",
    "training_code": "Is the code out that cleaned, mixed and trained?",
    "training_tokens_t": "Is it said how much there was?",
    "languages_note": "Is it said in which languages?",
}


def provenance(row: dict[str, Any]) -> dict[str, str]:
    """Return what a row of models.csv answers to five questions on the origin of the data.

    An empty cell gives "not known". Amounts and notes count as yes.
    """
    import pandas as pd

    found = {}
    for column, question in DATA_QUESTIONS.items():
        cell = row.get(column)
        if cell is None or pd.isna(cell) or cell == "":
            found[question] = "not known"
        elif cell == "partial":
            found[question] = "in part"
        elif cell in ("open", "closed", "yes", "no"):
            found[question] = read(cell).value
        else:
            found[question] = "yes"
    return found


# --- prices ------------------------------------------------------------------------------------


def grown(start: float, factor: float, years: float) -> float:
    """Return what an amount becomes that is multiplied by `factor` each year."""
    _positive(start=start, factor=factor)
    return start * factor**years


def yearly_factor(first: float, last: float, years: float) -> float:
    """Return the factor a year between two amounts; below 1 where it fell."""
    _positive(first=first, last=last, years=years)
    return (last / first) ** (1 / years)


def own_price(gpu_hour: float, gpu_tokens: float, busy: float = 100) -> float:
    """Return USD for a million tokens on a rented GPU.

    gpu_tokens: tokens a second when it works. busy: percent of the time that it has work; rent runs
    on when it has none. Raises OpennessError for a share outside 0 to 100, or what is not above 0.
    """
    _positive(gpu_hour=gpu_hour, gpu_tokens=gpu_tokens, busy=busy)
    if busy > 100:
        raise OpennessError(f"A GPU cannot be busy {busy} percent of the time.")
    return gpu_hour / (gpu_tokens * 3600 * busy / 100) * 1e6


def busy_enough(gpu_hour: float, gpu_tokens: float, price: float) -> float:
    """Return from which share of the time (percent) an own GPU is cheaper than a service.

    price: USD for a million tokens of the service. Above 100: never.
    """
    _positive(price=price)
    return 100 * own_price(gpu_hour, gpu_tokens) / price


def month_of_messages(
    messages: float, syllables: float, tokens_per_syllable: float, price: float
) -> float:
    """Return USD a month for a help desk that pays by the token, 30 days.

    messages: messages a day, read and written. syllables: length of one. price: USD for a million
    tokens. The facts that go before each message are not counted.
    """
    _positive(messages=messages, syllables=syllables, price=price)
    _positive(tokens_per_syllable=tokens_per_syllable)
    return 30 * messages * syllables * tokens_per_syllable * price / 1e6


def token_costs(topic: str | None = None) -> pd.DataFrame:
    """Return tokens per syllable by tokenizer (rows) and form (columns), over all texts.

    topic: only the texts of one topic. The mean weighs each syllable alike.
    Raises OpennessError for an unknown topic.
    """
    data = tables.load("hanoi", "tokens_per_syllable").data
    if topic is not None:
        known = sorted(set(data["topic"]))
        if topic not in known:
            raise OpennessError(f"There is no topic {topic!r}. There are: {', '.join(known)}.")
        data = data[data["topic"] == topic]
    sums = data.groupby(["tokenizer", "form"], sort=False)[["letter_tokens", "syllables"]].sum()
    return (sums["letter_tokens"] / sums["syllables"]).unstack(sort=False)


def same_message() -> pd.DataFrame:
    """Return tokens for the same twelve messages in Vietnamese and English, and their ratio."""
    data = tables.load("hanoi", "tokens_per_syllable").data
    sums = data.pivot_table(index="tokenizer", columns="form", values="tokens", aggfunc="sum")
    sums = sums.loc[list(dict.fromkeys(data["tokenizer"])), ["English", "Vietnamese"]]
    return sums.assign(ratio=sums["Vietnamese"] / sums["English"]).reset_index()


def in_words(frame: pd.DataFrame, decimals: int = 0) -> str:
    """Return a small table as a sentence, row by row, for those who cannot see its figure.

    Zeros are left out.
    """
    return "; ".join(
        f"{name}: "
        + ", ".join(f"{value:.{decimals}f} {column}" for column, value in row.items() if value)
        for name, row in frame.iterrows()
    )


def powers(frame: pd.DataFrame, *columns: str) -> pd.DataFrame:
    """Return a table with numbers too long to read written as Python does: 1.30e+24."""
    written = {name: frame[name].map("{:.2e}".format) for name in columns}
    return frame.assign(**written)


def _positive(**given: float) -> None:
    for name, value in given.items():
        if not value > 0:
            raise OpennessError(f"{name} must be above 0, not {value!r}.")
