"""Three answers, three yardsticks: what is not known is never no, and no case is decided twice."""

import itertools

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from osai import openness, tables
from osai.openness import Answer

NO, UNKNOWN, YES = Answer.NO, Answer.UNKNOWN, Answer.YES
RANK = {NO: 0, UNKNOWN: 1, YES: 2}
CELLS = {
    "weights_available": ("no", None, "yes"),
    "osi_approved": ("no", None, "yes"),
    "training_code": ("closed", "partial", None, "open"),
    "inference_code": ("no", "partial", None, "yes"),
    "training_data": ("closed", "partial", None, "open"),
    "data_documentation": ("closed", "partial", None, "open"),
}
BEST = {column: cells[-1] for column, cells in CELLS.items()}
EVERY_ROW = [
    dict(zip(CELLS, cells, strict=True)) for cells in itertools.product(*CELLS.values())
]  # all 2,304
RECORD = ("licence not open", "no licence", "not in the record", "open licence")


@pytest.fixture(scope="module")
def data() -> dict[str, pd.DataFrame]:
    return {name: tables.load("openness", name).data for name in tables.names("openness")}


def judged(row: dict) -> list[openness.Judgement]:
    return [openness.osaid(row), *openness.g7(row).rungs]


def height(ladder: openness.Ladder, name: str | None) -> int:
    names = [rung.name for rung in ladder.rungs]
    return len(names) - names.index(name) if name else 0


# --- three answers


def test_all_of_is_as_low_as_the_lowest_and_any_of_as_high_as_the_highest():
    for pair in itertools.product(Answer, repeat=2):
        assert RANK[openness.all_of(pair)] == min(RANK[answer] for answer in pair)
        assert RANK[openness.any_of(pair)] == max(RANK[answer] for answer in pair)
    assert openness.all_of([]) is YES
    assert openness.any_of([]) is NO


def test_an_answer_is_not_taken_for_true_or_false():
    with pytest.raises(TypeError, match="may be unknown"):
        bool(UNKNOWN)


@pytest.mark.parametrize("empty", [None, "", float("nan"), pd.NA])
def test_an_empty_cell_is_unknown(empty):
    assert openness.read(empty) is UNKNOWN
    assert openness.read(empty, partial=YES) is UNKNOWN


def test_a_part_is_not_the_whole_unless_a_part_is_enough():
    assert openness.read("partial") is NO
    assert openness.read("partial", partial=YES) is YES


@pytest.mark.parametrize("word", ["maybe", "Yes", True, 1])
def test_a_word_that_the_tables_do_not_use_is_refused(word):
    with pytest.raises(openness.OpennessError, match="is no answer"):
        openness.read(word)


# --- OSAID and the labels of the G7, over every row that there can be


def test_a_row_with_all_yes_is_open():
    assert openness.osaid(BEST).answer is YES
    assert openness.g7(BEST).certain == "Open Source AI with Open Data"
    assert openness.g7(BEST).next is None


def test_a_row_with_all_no_is_closed():
    worst = {column: cells[0] for column, cells in CELLS.items()}
    assert openness.osaid(worst).answer is NO
    assert openness.g7(worst).possible is None


def test_of_an_empty_row_nothing_is_certain_and_everything_possible():
    assert openness.osaid({}).answer is UNKNOWN
    assert openness.osaid({}).failed == ()
    assert openness.g7({}).certain is None
    assert openness.g7({}).possible == "Open Source AI with Open Data"


def test_unknown_counts_neither_as_no_nor_as_yes():
    for row in EVERY_ROW:
        before = judged(row)
        for column in CELLS:
            for old, new in zip(before, judged(row | {column: None}), strict=True):
                assert set(new.failed) <= set(old.failed), row
                assert set(old.not_known) <= set(new.not_known), row


def test_a_yes_never_lowers_an_answer_or_a_label():
    for row in EVERY_ROW:
        before, label = openness.osaid(row), openness.g7(row)
        for column in CELLS:
            better = row | {column: BEST[column]}
            after, new = openness.osaid(better), openness.g7(better)
            assert RANK[after.answer] >= RANK[before.answer], (row, column)
            assert height(new, new.certain) >= height(label, label.certain), (row, column)
            assert height(new, new.possible) >= height(label, label.possible), (row, column)


def test_each_label_asks_for_all_that_the_one_below_asks_for():
    for row in EVERY_ROW:
        answers = [RANK[rung.answer] for rung in openness.g7(row).rungs]
        assert answers == sorted(answers), row


def test_the_definition_asks_for_a_description_of_the_data_and_the_best_label_for_the_data():
    described = BEST | {"training_data": "closed"}
    assert openness.osaid(described).answer is YES
    assert openness.g7(described).rung("Open Source AI with Open Data").answer is NO
    # whether this data cannot be shared, no table says
    assert openness.g7(described).rung("Open Source AI").answer is UNKNOWN
    undescribed = BEST | {"data_documentation": "closed"}
    assert openness.osaid(undescribed).not_known == ("data information",)
    assert openness.g7(undescribed).certain == "Open Source AI with Open Data"


def test_every_requirement_gives_its_reason():
    for row in EVERY_ROW:
        for judgement in judged(row):
            assert all(one.why for one in judgement.requirements)
            for name in (*judgement.failed, *judgement.not_known):
                assert f"{name} (" in repr(judgement)


# --- classes of the Model Openness Framework


COMPONENTS = openness.components()
NAMES = [component.name for component in COMPONENTS]
REQUIRED = [component.name for component in COMPONENTS if component.required]
records = st.dictionaries(st.sampled_from(NAMES), st.sampled_from(RECORD))


def test_the_framework_asks_for_6_then_10_then_14_components():
    rungs = openness.mof({}).rungs
    assert [(rung.name, len(rung.requirements)) for rung in rungs] == [
        ("I", 14),
        ("II", 10),
        ("III", 6),
    ]


def test_all_components_under_open_licences_are_class_one():
    assert openness.mof(dict.fromkeys(REQUIRED, "open licence")).certain == "I"


def test_of_an_empty_record_no_class_is_certain_and_class_one_possible():
    ladder = openness.mof({})
    assert (ladder.certain, ladder.possible) == (None, "I")
    assert all(rung.failed == () for rung in ladder.rungs)


@settings(deadline=None)
@given(records, st.sampled_from(NAMES))
def test_an_open_component_never_lowers_a_class(record, name):
    before = openness.mof(record, COMPONENTS)
    after = openness.mof(record | {name: "open licence"}, COMPONENTS)
    assert height(after, after.certain) >= height(before, before.certain)
    assert height(after, after.possible) >= height(before, before.possible)


@settings(deadline=None)
@given(records, st.sampled_from(NAMES))
def test_a_component_that_nobody_recorded_is_neither_missing_nor_there(record, name):
    before = openness.mof(record, COMPONENTS)
    without = {key: word for key, word in record.items() if key != name}
    for blank in (without, without | {name: "not in the record"}):
        after = openness.mof(blank, COMPONENTS)
        for old, new in zip(before.rungs, after.rungs, strict=True):
            assert set(new.failed) <= set(old.failed)
            assert set(old.not_known) <= set(new.not_known)


@settings(deadline=None)
@given(records)
def test_each_class_asks_for_all_that_the_one_below_asks_for(record):
    answers = [RANK[rung.answer] for rung in openness.mof(record, COMPONENTS).rungs]
    assert answers == sorted(answers)


@pytest.mark.parametrize(
    ("report", "paper", "answer"),
    [
        ("no licence", "open licence", YES),
        ("not in the record", "open licence", YES),
        ("no licence", "no licence", NO),
        ("no licence", "not in the record", UNKNOWN),
        ("not in the record", "no licence", UNKNOWN),
        ("open licence", "no licence", YES),
    ],
)
def test_a_research_paper_may_stand_in_for_the_technical_report(report, paper, answer):
    record = {"Technical report": report, "Research paper": paper}
    rung = openness.mof(record).rung("III")
    assert rung.requirement("Technical report").answer is answer


def test_optional_components_decide_nothing():
    record = dict.fromkeys(REQUIRED, "open licence")
    optional = [name for name in NAMES if name not in REQUIRED]
    assert len(optional) == 3
    assert openness.mof(record | dict.fromkeys(optional, "no licence")).certain == "I"


# --- cases where the trackers disagree


@pytest.fixture
def tracked(data):
    """Return a system's row of crosswalk.csv."""
    return data["crosswalk"].set_index("system").loc


def test_bloomz_fails_by_its_licence_alone_though_the_index_gives_it_11_and_a_half(tracked):
    assert tracked["BLOOM"]["index_points"] == 11.5
    result = openness.osaid(openness.model("BLOOMZ"))
    assert result.answer is NO
    assert result.failed == ("open licence",)
    assert "list of forbidden uses" in result.requirement("open licence").why
    assert openness.g7(openness.model("BLOOMZ")).possible == "Weights Available AI"
    ladder = openness.mof(openness.recorded("BLOOM"))
    assert (ladder.certain, ladder.possible) == (None, None)
    assert {ladder.rung("III").requirement(name).why for name in ladder.rung("III").failed} == {
        "licence not open"
    }


@pytest.mark.parametrize("name", ["StarCoder2-15B", "Instella-3B"])
def test_starcoder2_and_instella_fail_the_same_way(name):
    assert openness.osaid(openness.model(name)).failed == ("open licence",)


def test_granite_is_class_three_with_two_documents_that_the_index_does_not_find(tracked):
    record = openness.recorded("Granite-4.0-H-Small")
    assert record["Data card"] == record["Technical report"] == "open licence"
    row = openness.model("Granite-4.0-H-Small")
    assert (row["data_documentation"], row["tech_report"]) == ("closed", "no")
    ladder = openness.mof(record)
    assert ladder.certain == "III"
    assert ladder.next.not_known == (
        "Training code",
        "Inference code",
        "Evaluation code",
        "Evaluation data",
    )
    assert (tracked["Granite 4.0"]["index_points"], tracked["Granite 4.0"]["fmti_score"]) == (5, 95)


@pytest.mark.parametrize("name", ["DeepSeek-R1", "gpt-oss-120b", "Mistral-Large-3-675B-2512"])
def test_an_open_licence_one_document_short_of_class_three(name):
    ladder = openness.mof(openness.recorded(name))
    assert ladder.certain is None
    assert ladder.rung("III").failed == ()
    assert ladder.rung("III").not_known == ("Data card",)
    row = openness.model(name)
    assert openness.g7(row).certain == openness.g7(row).possible == "Open Weights AI"
    assert openness.osaid(row).failed == ("training code", "data information")
    assert openness.osaid(row).not_known == ()


def test_llama_4_has_a_licence_with_limits_and_more_points_than_an_apache_model(tracked):
    row = openness.model("Llama-4-Maverick-17B-128E")
    assert openness.g7(row).certain == openness.g7(row).possible == "Weights Available AI"
    result = openness.osaid(row)
    assert result.failed == ("open licence", "training code", "data information")
    assert "700 million users" in result.requirement("open licence").why
    assert result.requirement("training code").why == "only a part is released"
    assert tracked["Llama 4"]["index_points"] == 4.0
    assert tracked["Mistral Large 3"]["index_points"] == 3.5
    assert openness.model("Mistral-Large-3-675B-2512")["weights_licence"] == "Apache-2.0"


def test_mpt_has_an_open_licence_and_no_files():
    row = openness.model("MPT-30B")
    result = openness.osaid(row)
    assert result.requirement("open licence").answer is YES
    assert "weights" in result.failed
    assert result.requirement("weights").why == "the files were taken down"
    assert openness.g7(row).possible is None
    assert openness.mof(openness.recorded("MPT-30B")).possible is None


# --- the tables


def test_the_certain_class_is_the_one_that_the_tool_gives(data):
    classes = data["models"].set_index("model")["mof_class"]
    recorded = set(data["mot_components"]["model"])
    assert len(recorded) == 13
    for name in recorded:
        assert (openness.mof(openness.recorded(name)).certain or "none") == classes[name], name


def test_our_reading_of_the_labels_lies_between_what_is_certain_and_what_is_possible(data):
    for row in data["crosswalk"].dropna(subset="model").to_dict("records"):
        ladder = openness.g7(openness.model(row["model"]))
        ours = height(ladder, row["g7_reading"] if row["g7_reading"] != "no label" else None)
        assert height(ladder, ladder.certain) <= ours <= height(ladder, ladder.possible), row


def test_the_tables_name_each_others_rows(data):
    models, parts = set(data["models"]["model"]), set(data["mof_components"]["component"])
    assert set(data["crosswalk"]["model"].dropna()) <= models
    assert set(data["mot_components"]["model"]) <= models
    assert set(data["mot_components"]["component"]) <= parts
    assert set(data["mof_components"]["stand_in"].dropna()) <= parts
    both = data["crosswalk"].query("mot_listing == 'yes'").set_index("mot_rated")["mof_class"]
    known = data["models"].set_index("model")["mof_class"]
    for name in set(both.index) & set(known.index):
        assert both[name] == known[name]


def test_licences_are_described_and_flagged_alike(data):
    flags = data["licences"].set_index("licence")["osi_approved"]
    used = data["models"][["weights_licence", "osi_approved"]].drop_duplicates()
    undescribed = set(used["weights_licence"]) - set(flags.index)
    assert undescribed == {
        "NVIDIA Nemotron Open Model License",
        "Qwen Terms of Service",
        "SeaLLMs Terms of Use",
        "URA-LLaMA user agreement",
        "none declared",
        "proprietary, service only",
    }
    for licence, flag in used.itertuples(index=False):
        assert flags.get(licence, "no") == flag, licence


def test_an_unlisted_model_has_no_class_and_a_listed_one_has_one_or_none(data):
    models = data["models"]
    assert (models["mof_class"].isna() == (models["in_mot"] == "no")).all()


def test_what_is_withdrawn_cannot_be_fetched(data):
    withdrawn = data["models"].query("weights_withdrawn == 'yes'")
    assert set(withdrawn["model"]) == {"MPT-7B", "MPT-30B"}
    assert set(withdrawn["weights_available"]) == {"no"}


def test_counts_that_lessons_quote(data):
    models = data["models"]
    out = models.query("weights_available == 'yes'")
    approved = out.query("osi_approved == 'yes'")
    both = approved.query("training_code == 'open' and training_data == 'open'")
    assert (len(models), len(out), len(approved), len(both)) == (79, 70, 41, 22)
    # thresholds of the guidelines to the EU AI Act: 10^25 and 10^23 FLOP
    compute = models.dropna(subset="training_compute_flop")
    large = compute.query("training_compute_flop > 1e25")
    assert (len(compute), len(large)) == (58, 7)
    assert set(large.query("weights_available == 'yes'")["model"]) == {
        "Llama-3.1-405B",
        "Nemotron-4-340B",
        "Mistral Large 2",
    }
    assert len(compute.query("training_compute_flop < 1e23")) == 18


def test_compute_that_is_said_to_be_6nd_is_6nd(data):
    rows = data["models"].query("compute_basis == '6ND'")
    size = rows["active_parameters_b"].fillna(rows["parameters_b"])
    expected = 6 * size * 1e9 * rows["training_tokens_t"] * 1e12
    assert len(rows) == 18
    assert (rows["training_compute_flop"] / expected).between(0.99, 1.01).all()


def test_sources_are_web_addresses_and_nothing_else(data):
    for frame in data.values():
        for column in frame.columns:
            if "url" in column:
                for cell in frame[column].dropna():
                    assert all(url.startswith("https://") for url in cell.split(" ")), cell
                    assert not set(cell) & set(";()")


def test_the_overview_has_every_model_once_and_calls_nothing_open_that_cannot_be_fetched(data):
    table = openness.overview()
    assert table["model"].tolist() == data["models"]["model"].tolist()
    closed = set(data["models"].query("weights_available == 'no'")["model"])
    rows = table[table["model"].isin(closed)]
    assert set(rows["osaid"]) == {"no"}
    assert set(rows["g7_possible"]) == {"none"}
    assert set(table.query("osaid == 'yes'")["osaid_failed"]) == {""}
    assert table["mof_certain"].notna().sum() == 13


# --- what a student may get wrong


def test_an_unknown_name_lists_what_there_is():
    with pytest.raises(openness.OpennessError, match=r"no model 'OLMo'\. There are: SmolLM2"):
        openness.model("OLMo")
    with pytest.raises(openness.OpennessError, match="no component 'Weights'"):
        openness.mof({"Weights": "open licence"})
    with pytest.raises(openness.OpennessError, match="'yes' is none of open licence"):
        openness.mof({"Model card": "yes"})
    with pytest.raises(openness.OpennessError, match="does not ask for 'price'"):
        openness.osaid(BEST).requirement("price")
    with pytest.raises(openness.OpennessError, match="has no 'IV'"):
        openness.mof({}).rung("IV")


def test_a_result_says_what_failed_what_is_not_known_and_what_was_not_looked_at():
    said = repr(openness.osaid(openness.model("BLOOMZ")))
    assert said.startswith("Open Source AI Definition 1.0: no. Not met: open licence (BigScience")
    assert "Not known: running code (" in said
    assert "Not looked at: licence of the code" in said
    said = repr(openness.mof(openness.recorded("Granite-4.0-H-Small")))
    assert "certain is III, possible is I. Next, II: unknown." in said
    assert repr(openness.mof(openness.recorded("Pythia-12B"))) == f"{openness.MOF}: I."
