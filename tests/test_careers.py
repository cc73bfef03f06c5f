"""The claims, their evidence, and the tables on licences, money and commits."""

import json
import re
from itertools import pairwise

import pandas as pd
import pytest
from osai import careers, places, tables

PLAN = {  # lesson or lessons: the claims that must stand there
    ("01",): "C47",
    ("03",): "C01 C02 C03 C04 C05 C06 C44 C45 C46",
    ("04",): "C24 C25 C26 C27 C28 C29 C31 C33 C39 C40 C41",
    ("05", "06"): "C07 C08 C09 C10 C11 C12 C13 C14 C15 C22 C34 C35",
    ("07", "08"): "C16 C17 C18 C19 C20 C21 C23 C36",
    ("09", "10", "11", "12", "13", "14", "15"): "C30 C32 C37 C38 C42 C43",
}
URL = re.compile(r"https?://[^\s|]+")
PERIOD = re.compile(r"(\d{4}(-\d{2}|-Q[1-4])?)(/\d{4}(-\d{2})?)?")
DATE = re.compile(r"\d{4}(-\d{2}(-\d{2})?)?")


@pytest.fixture(scope="module")
def claims() -> list[careers.Claim]:
    return [careers.claim(id) for id in careers.claims().data["id"]]


@pytest.fixture(scope="module")
def figures() -> pd.DataFrame:
    return tables.load("careers", "figures").data.set_index("id")


def texts(column: pd.Series) -> list[str]:
    return column.dropna().tolist()


# --- claims


def test_all_47_claims_are_planned_exactly_once():
    data = careers.claims().data
    assert data["id"].tolist() == [f"C{number:02d}" for number in range(1, 48)]
    planned = pd.concat([careers.planned(f"{lesson:02d}").data for lesson in range(16)])
    assert sorted(planned["id"]) == data["id"].tolist()


def test_each_claim_stands_in_a_lesson_on_its_subject(claims):
    where = {claim.id: claim.planned_lesson for claim in claims}
    for lessons, ids in PLAN.items():
        for id in ids.split():
            assert where.pop(id) in lessons
    assert not where


def test_every_claim_says_what_would_show_it_false_and_how_to_test_it(claims):
    for claim in claims:
        assert claim.claim and claim.shown_false_by and claim.how_to_test and claim.section


def test_every_evidence_id_exists_and_stands_on_one_side_only(claims, figures):
    for claim in claims:
        ids = claim.figures_for + claim.figures_against
        assert set(ids) <= set(figures.index)
        assert len(ids) == len(set(ids))
        assert sorted(claim.figures_for) == list(claim.figures_for)
        assert sorted(claim.figures_against) == list(claim.figures_against)


def test_figures_never_stand_on_a_side_without_words(claims):
    for claim in claims:
        assert claim.evidence_for or not claim.figures_for
        assert claim.evidence_against or not claim.figures_against


def test_verdicts_fit_the_evidence(claims):
    assert tables.load("careers", "claims").field("verdict").choices
    for claim in claims:
        if claim.verdict == "unsupported":
            assert not claim.evidence_for and not claim.figures_for
        if claim.verdict in ("mixed", "contradicted"):
            assert claim.evidence_against


def test_only_the_claim_with_an_empty_link_has_no_source(claims):
    assert [claim.id for claim in claims if not claim.urls] == ["C47"]


# --- the functions


def test_evidence_comes_as_tables_that_can_be_shown():
    found = careers.evidence("C07")
    assert tuple(found.supporting.data["id"]) == found.claim.figures_for
    assert tuple(found.against.data["id"]) == found.claim.figures_against
    assert "Figures for claim C07" in tables.as_html(found.supporting)
    assert "Figures against claim C07" in tables.as_html(found.against)


def test_a_claim_without_figures_has_two_tables_without_rows():
    found = careers.evidence("C47")
    assert len(found.supporting.data) == len(found.against.data) == 0
    assert "measured" in found.supporting.data
    assert found.claim.evidence_for == ""


def test_a_lesson_is_known_by_its_number_or_name():
    number = careers.planned("03").data
    assert number.equals(careers.planned("03-careers").data)
    assert number.equals(careers.planned("03-careers.ipynb").data)
    assert len(careers.planned("00-start-here").data) == 0


def test_coverage_names_the_claims_whose_lesson_does_not_exist():
    every = [f"{number:02d}-x.ipynb" for number in range(16)]
    assert len(careers.check_coverage(every).data) == 0
    assert len(careers.check_coverage([]).data) == 47
    waiting = careers.check_coverage(lesson for lesson in every if not lesson.startswith("03"))
    assert waiting.data["id"].tolist() == careers.planned("03").data["id"].tolist()


@pytest.mark.parametrize("id", ["C00", "C48", "c07", "F001", ""])
def test_an_unknown_claim_is_refused_with_those_there_are(id):
    with pytest.raises(careers.ClaimError, match="The claims are C01 to C47"):
        careers.evidence(id)


@pytest.mark.parametrize("lesson", ["", "3", "careers", "003", "03careers"])
def test_a_name_without_a_number_is_no_lesson(lesson):
    with pytest.raises(careers.ClaimError, match="is no lesson"):
        careers.planned(lesson)
    with pytest.raises(careers.ClaimError, match="is no lesson"):
        careers.check_coverage([lesson])


def test_a_claim_that_names_no_figure_is_refused(tmp_path, monkeypatch):
    for file in (places.data_dir() / "careers").iterdir():
        (tmp_path / "careers").mkdir(exist_ok=True)
        (tmp_path / "careers" / file.name).write_bytes(file.read_bytes())
    path = tmp_path / "careers" / "claims.csv"
    path.write_text(path.read_text("utf-8").replace("F050", "F950"), encoding="utf-8")
    monkeypatch.setattr(places, "data_dir", lambda: tmp_path)
    with pytest.raises(careers.ClaimError, match="Claim C14 names F950"):
        careers.evidence("C14")


# --- figures


def test_every_figure_has_a_source_an_address_and_a_known_unit(figures):
    units = tables.load("careers", "figures").field("unit").choices
    assert len(units) == len(set(units))
    assert set(figures["unit"]) == set(units)
    assert figures["source"].str.strip().ne("").all()
    assert figures["url"].map(lambda url: bool(URL.fullmatch(url))).all()
    assert all(URL.fullmatch(url) for url in texts(figures["read_at"]))


def test_every_figure_says_what_on_whom_and_when(figures):
    assert figures[["measured", "population", "value"]].notna().all().all()
    for period, year in zip(figures["period"], figures["year"], strict=True):
        assert PERIOD.fullmatch(period), period
        assert str(year) in period


def test_figures_that_disagree_both_stand_and_name_each_other(figures):
    disagreements = figures["disagrees_with"].dropna()
    assert len(disagreements) > 20
    for id, others in disagreements.items():
        for other in others.split():
            assert id in figures.loc[other, "disagrees_with"].split()
            same = figures.loc[[id, other], ["value", "period", "population"]]
            assert len(same.drop_duplicates()) == 2


def test_no_figure_stands_twice(figures):
    assert not figures.duplicated(["measured", "period", "population", "source"]).any()


def test_shares_are_shares(figures):
    share = figures["measured"].str.startswith("Share of")
    assert share.any()
    assert figures.loc[share, "value"].between(0, 100).all()


# --- licences and money


@pytest.mark.parametrize("name", ["claims", "business_models", "relicensing"])
def test_addresses_are_separated_by_single_spaces(name):
    for urls in texts(tables.load("careers", name).data["urls"]):
        assert all(URL.fullmatch(url) for url in urls.split(" "))


def test_changes_of_licence_are_dated_and_in_order():
    data = tables.load("careers", "relicensing").data
    assert data["date"].map(lambda date: bool(DATE.fullmatch(date))).all()
    assert all(DATE.fullmatch(date) for date in texts(data["fork_date"]))
    assert data["year"].tolist() == [int(date[:4]) for date in data["date"]]
    assert data["year"].is_monotonic_increasing
    assert data.loc[data["fork_date"].notna(), "fork"].notna().all()


def test_every_organisation_has_a_source_and_a_date():
    data = tables.load("careers", "business_models").data
    assert data["urls"].notna().all()
    assert data["as_of"].map(lambda date: bool(DATE.fullmatch(date))).all()


# --- commits by month


@pytest.fixture(scope="module")
def commits() -> pd.DataFrame:
    return tables.load("careers", "relicense_commits_monthly").data


def mean_authors(commits: pd.DataFrame, project: str, first: str, last: str) -> float:
    part = commits[(commits["project"] == project) & commits["month"].between(first, last)]
    return part["authors"].mean()


def test_no_month_is_missing_inside_a_projects_span(commits):
    for _, rows in commits.groupby("project"):
        months = pd.PeriodIndex(rows["month"], freq="M")
        assert all(later == earlier + 1 for earlier, later in pairwise(months))


def test_a_month_has_authors_and_shares_exactly_when_it_has_commits(commits):
    some = commits["commits"] > 0
    assert (commits["authors"] > 0).equals(some)
    assert (commits["authors"] <= commits["commits"]).all()
    for column in ("top_author_share", "author_hhi"):
        assert commits[column].notna().equals(some)
    assert commits.loc[~some, "project"].value_counts().to_dict() == {
        "spaCy": 12,
        "Text Generation Inference": 1,
    }


def test_concentration_lies_within_its_mathematical_bounds(commits):
    some = commits[commits["commits"] > 0]
    top, hhi, authors = some["top_author_share"], some["author_hhi"], some["authors"]
    rounding = 0.0011
    assert (hhi <= top + rounding).all()  # a mean of shares is at most the largest share
    assert (hhi >= 1 / authors - rounding).all()
    assert (hhi >= top**2 - rounding).all()


def test_only_forks_inherit_and_only_the_last_month_is_not_complete(commits):
    assert set(commits.loc[commits["inherited"], "project"]) == {"Valkey", "OpenTofu"}
    for _, rows in commits.groupby("project"):
        assert rows["inherited"].is_monotonic_decreasing
        assert rows["partial"].tolist() == [False] * (len(rows) - 1) + [True]


@pytest.mark.parametrize(
    ("id", "project", "first", "last"),
    [
        ("F052", "spaCy", "2021-01", "2021-12"),
        ("F223", "spaCy", "2025-01", "2025-12"),
        ("F058", "Redis", "2023-03", "2024-02"),
        ("F059", "Redis", "2024-04", "2024-10"),
        ("F060", "Valkey", "2024-04", "2024-10"),
        ("F061", "Terraform", "2022-08", "2023-07"),
        ("F062", "Terraform", "2023-09", "2024-08"),
        ("F063", "OpenTofu", "2023-09", "2024-08"),
        ("F064", "OpenTofu", "2024-09", "2025-08"),
        ("F065", "Text Generation Inference", "2023-08", "2024-03"),
    ],
)
def test_our_own_counts_follow_from_the_table(id, project, first, last, figures, commits):
    assert figures.loc[id, "value"] == pytest.approx(
        mean_authors(commits, project, first, last), abs=0.0501
    )


def test_means_over_months_with_commits_only_say_so(figures, commits):
    active = commits[
        (commits["project"] == "spaCy")
        & commits["month"].between("2025-01", "2025-12")
        & (commits["commits"] > 0)
    ]
    assert len(active) == 6
    assert figures.loc["F053", "value"] == pytest.approx(active["authors"].mean(), abs=0.05)
    assert figures.loc["F055", "value"] == pytest.approx(
        100 * active["top_author_share"].mean(), abs=0.5
    )
    for id in ("F053", "F055"):
        assert "months with commits" in figures.loc[id, "measured"]


# --- the page about the data


def test_the_yearly_accounts_are_still_the_first_table_of_the_card():
    card = json.loads((places.data_dir() / "careers" / tables.CARD).read_text(encoding="utf-8"))
    names = [resource["name"] for resource in card["resources"]]
    assert names == [
        "github_by_country_year",
        "claims",
        "figures",
        "business_models",
        "relicensing",
        "relicense_commits_monthly",
        "tasks",
    ]


def test_every_table_of_the_folder_is_described():
    files = {file.stem for file in (places.data_dir() / "careers").glob("*.csv")}
    assert files == set(tables.names("careers"))
