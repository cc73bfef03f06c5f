"""The practice for a first contribution: real repositories, real hooks, and what checks say."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from osai import places, practice, work
from osai.practice import ci, desk, git, maintainer, sample, trials

NIGHT_TEST = """
    def test_open_after_midnight(self):
        self.assertTrue(is_open(time(18), time(2), time(0, 40)))
"""
EDGE_TEST = """
    def test_closed_at_the_closing_time_after_midnight(self):
        self.assertFalse(is_open(time(18), time(2), time(2)))
"""
BRANCH = "open-after-midnight"


@pytest.fixture
def student(tmp_path, monkeypatch):
    """A new practice, in a folder with a space and accents, under a hostile git environment."""
    monkeypatch.setenv(places.WORK_VARIABLE, str(tmp_path / "Khóa học" / "my-work"))
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "somewhere-else"))
    monkeypatch.setenv("GIT_AUTHOR_NAME", "Somebody Else")
    return practice.start()


def cloned(student):
    student.git("clone --bare upstream.git fork.git")
    student.git("clone fork.git deskkit")
    student.git("remote add upstream ../upstream.git")
    student.git("fetch upstream")
    return student


def mended(student):
    cloned(student)
    student.git(f"switch -c {BRANCH}")
    student.write("tests/test_hours.py", sample.TEST_HOURS + NIGHT_TEST)
    student.write("deskkit/hours.py", sample.right_hours(with_huys=False))
    student.git("add --all")
    student.git('commit -m "Keep a shop open after midnight" -m "Issue 12."')
    return student


def asked(student):
    mended(student)
    student.git(f"push --set-upstream origin {BRANCH}")
    practice.open_request(
        student, "Keep a shop open after midnight", "It was never open; a test shows it, issue 12."
    )
    return student


def answered(student):
    asked(student)
    student.write("tests/test_hours.py", sample.TEST_HOURS + NIGHT_TEST + EDGE_TEST)
    student.write("changes/12.md", "Shops that close after midnight are open until then.\n")
    student.git("add --all")
    student.git('commit -m "Test the closing time"')
    student.git("push")
    return student


def missing(student, step, **answer):
    found = practice.check(student, step, **answer)
    assert not found.done
    return found.missing


# --- git, apart from everything else -------------------------------------------------------------


def test_version_numbers_are_read_from_what_any_git_says():
    assert git.version_of("git version 2.39.5 (Apple Git-154)") == (2, 39, 5)
    assert git.version_of("git version 2.45.1.windows.1") == (2, 45, 1)
    assert git.version_of("nothing") == ()


def test_a_missing_git_is_explained_with_the_next_step(monkeypatch):
    git.program.cache_clear()
    monkeypatch.setattr(git.shutil, "which", lambda name: None)
    with pytest.raises(practice.PracticeError, match="Install it from"):
        practice.start()
    monkeypatch.undo()
    git.program.cache_clear()


def test_an_old_git_is_explained_with_the_next_step(monkeypatch):
    git.program.cache_clear()
    old = subprocess.CompletedProcess([], 0, "git version 2.25.1\n")
    monkeypatch.setattr(git.subprocess, "run", lambda *a, **k: old)
    with pytest.raises(
        practice.PracticeError, match=r"2\.32 or newer; here is git version 2\.25\.1"
    ):
        git.program()
    monkeypatch.undo()
    git.program.cache_clear()


def test_settings_hooks_and_names_of_the_user_do_not_matter(student, monkeypatch, tmp_path):
    hooks = tmp_path / "hooks"
    hooks.mkdir()
    (hooks / "pre-commit").write_text("#!/bin/sh\nexit 1\n")
    (hooks / "pre-commit").chmod(0o755)
    (tmp_path / ".gitconfig").write_text(
        f"[core]\n\thooksPath = {hooks}\n[commit]\n\tgpgSign = true\n[user]\n\tname = Wrong\n"
    )
    monkeypatch.setenv("HOME", str(tmp_path))
    mended(student)
    assert student.ask("log", "-1", "--format=%an <%ae>") == "You (practice) <you@example.org>"
    assert practice.check(student, "commit").done


def test_files_that_the_user_ignores_everywhere_do_not_matter(tmp_path, monkeypatch):
    mine = tmp_path / ".config" / "git"
    mine.mkdir(parents=True)
    (mine / "ignore").write_text("*.md\n*.py\n")
    (mine / "attributes").write_text("*.py text eol=crlf\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    monkeypatch.setenv(places.WORK_VARIABLE, str(tmp_path / "my-work"))
    student = cloned(practice.start())
    assert b"\r" not in (student.clone / "deskkit" / "hours.py").read_bytes()
    student.write("look.py", "x = 1\n")
    assert student.ask("status", "--porcelain") == "?? look.py"


def test_what_jupyter_and_macos_leave_in_a_folder_is_no_change(student):
    cloned(student)
    student.write("tests/.ipynb_checkpoints/test_hours-checkpoint.py", "x\n")
    student.write(".DS_Store", "x\n")
    assert student.ask("status", "--porcelain") == ""


def test_a_git_that_only_offers_to_be_installed_is_explained(monkeypatch):
    """As on macOS before Apple's tools are installed: the program is there and ends with 1."""
    git.program.cache_clear()
    stub = subprocess.CompletedProcess([], 1, "")
    monkeypatch.setattr(git.subprocess, "run", lambda *a, **k: stub)
    with pytest.raises(practice.PracticeError, match="xcode-select --install"):
        git.program()
    monkeypatch.undo()
    git.program.cache_clear()


def test_hashes_are_the_same_on_every_computer(student):
    first = mended(student).ask("rev-parse", "HEAD")
    again = mended(practice.start()).ask("rev-parse", "HEAD")
    assert first == again


def test_the_repository_around_the_practice_is_never_found(tmp_path, monkeypatch):
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    monkeypatch.setenv(places.WORK_VARIABLE, str(tmp_path / "my-work"))
    student = practice.start()
    assert not student.run_git("status").ok
    assert not student.run_git("add", "--all").ok


def test_output_is_tidied_of_places_times_hints_and_progress(tmp_path):
    said = (
        f"To {tmp_path}/fork.git\nhint: pull first\nremote: hint: x\nRan 3 tests in 0.012s\n"
        f"Rebasing (1/2)\n\x1b[KDone in '{tmp_path}'  \nCould not apply abc1234... # Keep"
    )
    tidy = "To fork.git\nRan 3 tests\nDone in ''\nCould not apply abc1234... Keep"
    assert git.tidy(said, tmp_path) == tidy


# --- the folder ----------------------------------------------------------------------------------


def test_starting_again_keeps_the_earlier_work_aside(student, capsys):
    (student.root / "note.txt").write_text("mine")
    practice.start()
    assert "kept-aside/first-contribution-1" in capsys.readouterr().out
    assert (places.work_dir() / "kept-aside/first-contribution-1/note.txt").read_text() == "mine"
    assert not (student.root / "note.txt").exists()


def test_a_practice_from_a_zip_goes_on_with_what_was_pushed(student, monkeypatch, tmp_path):
    asked(student)
    packed = work.pack(tmp_path / "home.zip")
    monkeypatch.setenv(places.WORK_VARIABLE, str(tmp_path / "another" / "my-work"))
    work.restore(packed.path)
    resumed = practice.resume()
    resumed.git("fetch upstream")
    resumed.git(f"switch {BRANCH}")
    assert practice.check(resumed, "request").done
    assert not resumed.run_git("push", "upstream", "HEAD:main").ok
    resumed.git("commit --allow-empty -m 'Go on with issue 12'")
    assert resumed.ask("log", "-1", "--format=%an") == "You (practice)"


def test_resuming_nothing_says_how_to_begin(tmp_path, monkeypatch):
    monkeypatch.setenv(places.WORK_VARIABLE, str(tmp_path / "my-work"))
    with pytest.raises(practice.PracticeError, match=r"practice\.start"):
        practice.resume()


def test_an_edit_is_made_once_and_a_wrong_one_explained(student, capsys):
    cloned(student)
    student.edit("README.md", old="# deskkit", new="# deskkit!")
    student.edit("README.md", old="# deskkit", new="# deskkit!")
    assert "nothing to change" in capsys.readouterr().out
    assert (student.clone / "README.md").read_text(encoding="utf-8").startswith("# deskkit!\n")
    with pytest.raises(practice.PracticeError, match="is not in it"):
        student.edit("README.md", old="no such words", new="x")
    with pytest.raises(practice.PracticeError, match="outside"):
        student.write("../../notes.txt", "x")
    with pytest.raises(practice.PracticeError, match="no conflict"):
        student.resolve("README.md", "x")


def test_an_edit_that_begins_with_spaces_is_not_made_in_a_deeper_line(student):
    cloned(student)
    student.write("deskkit/hours.py", sample.right_hours(with_huys=True))
    with pytest.raises(practice.PracticeError, match="is not in it"):
        student.edit("deskkit/hours.py", old="    return opens <= now < closes\n", new="    x\n")


def test_resuming_says_where_one_stopped(student, capsys):
    mended(student)
    practice.check(student, "commit")
    practice.resume()
    assert "Steps done so far: commit." in capsys.readouterr().out


def test_the_debugger_runs_unattended_and_shows_what_was_typed(student, capsys):
    cloned(student)
    student.write("look.py", "x = 41\nbreakpoint()\nprint(x + 1)\n")
    student.debug("look.py", ["p x", "continue"])
    said = capsys.readouterr().out
    assert "(Pdb) p x\n41\n(Pdb) continue\n42" in said
    assert str(student.root) not in said


# --- the gate ------------------------------------------------------------------------------------


def test_only_maintainers_write_to_the_upstream_and_only_with_green_tests(student):
    mended(student)
    done = student.run_git("push", "upstream", f"{BRANCH}:main")
    assert not done.ok
    assert "only maintainers" in done.errors
    student.write("deskkit/hours.py", sample.HOURS)
    student.git("commit -am 'Bring the bug back'")
    red = student.run_git("push", "upstream", "HEAD:main", **{ci.PUSHER: "maintainer"})
    assert not red.ok
    assert "red: 1 of 11 failed" in red.errors
    student.git("reset --hard HEAD~1")
    assert student.run_git("push", "upstream", "HEAD:main", **{ci.PUSHER: "maintainer"}).ok
    assert not student.run_git("push", "upstream", ":main", **{ci.PUSHER: "maintainer"}).ok
    assert "not deleted" in ci.verdict("refs/heads/old", "1" * 40, "0" * 40, "maintainer")


def test_tests_that_crash_hang_or_are_missing_are_red(tmp_path):
    assert str(ci.run_tests(tmp_path)).startswith("red")
    folder = tmp_path / "tests"
    folder.mkdir()
    (folder / "__init__.py").touch()
    assert str(ci.run_tests(tmp_path)) == "red: no tests were found"
    file = folder / "test_x.py"
    file.write_text("import unittest\nimport no_such_module\n")
    assert ci.run_tests(tmp_path).crashed
    file.write_text("while True: pass\n")
    assert not ci.run_tests(tmp_path, timeout=1).green


def test_the_sample_is_what_it_says():
    """The bug is there, the right version is right, each wrong one is wrong."""
    assert trials.should_be_open("18:00", "02:00", "00:40")
    assert not trials.should_be_open("18:00", "02:00", "02:00")
    assert trials.should_be_open("00:00", "00:00", "03:00")
    for huys in (False, True):
        assert answer_of(sample.right_hours(with_huys=huys), huys) is None
        for text in sample.wrong_hours(with_huys=huys).values():
            assert answer_of(text, huys)


def answer_of(hours, with_huys):
    import tempfile

    with tempfile.TemporaryDirectory() as scratch:
        (Path(scratch) / "deskkit").mkdir()
        (Path(scratch) / "deskkit/hours.py").write_text(hours, encoding="utf-8")
        return trials.wrong_answer(Path(scratch), with_huys=with_huys)


# --- the steps, done wrongly ---------------------------------------------------------------------


def test_a_fork_with_files_is_no_fork(student):
    student.run_git("clone", "-q", "upstream.git", "fork.git", at=student.root)
    assert "clone with files to work on" in missing(student, "fork")


def test_a_clone_of_the_upstream_is_noticed(student):
    student.git("clone --bare upstream.git fork.git")
    student.git("clone upstream.git deskkit")
    assert "You cloned the upstream" in missing(student, "clone")


@pytest.mark.parametrize(
    ("hours", "now", "why"),
    [
        ("08:00-22:00", "10:00", "right at any time"),
        ("18:00-02:00", "12:00", "really is closed"),
        ("18-2", "1", "Write the hours as"),
        ("18:00-02:00", "25:00", "Write the hours as"),
    ],
)
def test_what_is_no_reproduction_is_explained(student, hours, now, why):
    assert why in missing(student, "reproduce", hours=hours, now=now)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "no new test"),
        (NIGHT_TEST.replace("test_open", "open"), "begin with test_"),
        (NIGHT_TEST.replace("assertTrue", "assertFalse"), "pass with the bug"),
        (NIGHT_TEST.replace("time(0, 40)", "time(0, 40"), "crash is no failing test"),
        (NIGHT_TEST.replace("is_open(", "isopen("), "crash is no failing test"),
        (NIGHT_TEST.replace("time(0, 40)", "time(12)"), "expect something else"),
    ],
    ids=["none", "name", "demands the bug", "syntax", "crash", "too much"],
)
def test_a_test_that_shows_nothing_is_explained(student, text, why):
    cloned(student)
    assert "You are on main" in missing(student, "test")
    student.git(f"switch -c {BRANCH}")
    student.write("tests/test_hours.py", sample.TEST_HOURS + text)
    assert why in missing(student, "test")


def test_one_or_for_all_shops_is_no_fix(student):
    mended(student)
    wrong = sample.hours_with("    return now >= opens or now < closes\n")
    student.write("deskkit/hours.py", wrong)
    assert "failed" in missing(student, "fix")
    never_closes = sample.wrong_hours(with_huys=False)["a shop open past midnight never closes"]
    student.write("deskkit/hours.py", never_closes)
    assert "Green tests say only" in missing(student, "fix")


def test_a_fix_for_the_reported_shop_only_is_no_fix(student):
    mended(student)
    for case in ("closes == time(2)", "opens >= time(17)", "now == time(0, 40)"):
        body = f"    if {case}:\n        return now >= opens or now < closes\n"
        student.write(
            "deskkit/hours.py", sample.hours_with(body + "    return opens <= now < closes\n")
        )
        assert "Green tests say only" in missing(student, "fix")


def test_a_fix_without_a_test_is_sent_back_to_the_test(student):
    mended(student)
    student.write("tests/test_hours.py", sample.TEST_HOURS)
    assert "no test is new" in missing(student, "fix")


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ("test_closed_before", "closed_before", "does not run any more"),
        (
            "    def test_closed_before",
            "    @unittest.skip('')\n    def test_closed_before",
            "not run",
        ),
        (
            "        self.assertFalse(is_open(time(8), time(22), time(7)))",
            "        pass",
            "earlier test",
        ),
    ],
    ids=["renamed", "skipped", "emptied"],
)
def test_an_earlier_test_made_harmless_is_noticed_by_the_check_and_by_lan(student, old, new, why):
    answered(student)
    text = (student.clone / "tests/test_hours.py").read_text(encoding="utf-8")
    assert old in text
    student.write("tests/test_hours.py", text.replace(old, new))
    assert why in missing(student, "fix")
    student.git("commit -am 'Make the tests green for issue 12'")
    student.git("push")
    assert any(why in point for point in practice.review(student).points)


def test_a_line_of_a_test_that_only_moved_is_not_taken_out():
    moved = "--- a/t\n+++ b/t\n-    self.assertTrue(x)\n+        self.assertTrue(x)\n-    y = 1\n"
    assert trials.taken_out(moved) == []
    assert trials.taken_out(moved + "-    self.assertTrue(x)\n") == ["self.assertTrue(x)"]


def test_a_commit_on_main_is_moved_to_a_branch_and_main_put_back(student):
    cloned(student)
    student.write("tests/test_hours.py", sample.TEST_HOURS + NIGHT_TEST)
    student.write("deskkit/hours.py", sample.right_hours(with_huys=False))
    student.git("add --all")
    student.git('commit -m "Keep a shop open after midnight" -m "Issue 12."')
    assert "You are on main" in missing(student, "commit")
    student.git(f"switch -c {BRANCH}")
    assert "git branch -f main upstream/main" in missing(student, "commit")
    assert "git reset --hard upstream/main" in missing(student, "synced")
    student.git("branch -f main upstream/main")
    assert practice.check(student, "commit").done


@pytest.mark.parametrize(
    ("message", "why"),
    [
        ("Fixed bug", "says too little"),
        ("Fixed the hours of issue 12", "Begin the message"),
        ("keep the shop open, issue 12", "Begin the message"),
        ("Keep a shop open after midnight", "names issue 12"),
        ("Keep " + "very " * 20 + "long hours, issue 12", "longer than 72"),
    ],
)
def test_a_message_that_says_little_is_explained(message, why):
    assert why in maintainer.message_faults([message])[0]


def test_good_messages_pass():
    assert (
        maintainer.message_faults(["Keep a shop open\n\nIssue 12.", "Test the closing time"]) == []
    )


def test_leftovers_and_a_missing_test_are_seen_before_the_push(student):
    mended(student)
    student.write("look.py", "breakpoint()\n")
    assert "?? look.py" in missing(student, "commit")
    (student.clone / "look.py").unlink()
    student.git("reset --soft HEAD~1")
    student.git("restore --staged tests")
    student.git("commit -m 'Keep a shop open, issue 12'")
    assert "belong together" in missing(student, "commit")


def test_a_request_needs_a_pushed_branch_and_words(student):
    mended(student)
    with pytest.raises(practice.PracticeError, match="what was pushed"):
        practice.open_request(
            student, "Keep a shop open", "one two three four five six seven eight"
        )
    student.git(f"push --set-upstream origin {BRANCH}")
    with pytest.raises(practice.PracticeError, match="title and the description"):
        practice.open_request(student, "Fix", "Please")
    student.git("switch main")
    with pytest.raises(practice.PracticeError, match="not from main"):
        practice.open_request(
            student, "Keep a shop open", "one two three four five six seven eight"
        )


def test_lan_asks_for_what_is_really_missing(student):
    first = practice.review(asked(student))
    assert not first.approved
    assert sum("all tests still pass" in point for point in first.points) == 2
    assert any("changes/12.md" in point for point in first.points)
    assert practice.review(answered(practice.start())).approved


def test_lan_sees_files_that_do_not_belong_and_lines_meant_for_oneself(student):
    answered(student)
    student.edit("README.md", old="# deskkit", new="# Deskkit")
    student.edit("deskkit/hours.py", old="    if opens", new="    print(opens)\n    if opens")
    student.git("commit -am 'Change more for issue 12'")
    student.git("push")
    points = " ".join(practice.review(student).points)
    assert "README.md" in points
    assert "print(opens)" in points


def test_unpushed_work_is_not_in_the_request(student):
    answered(student)
    student.git("commit --allow-empty -m 'One more for issue 12'")
    assert "follows your fork" in missing(student, "answer")


# --- the whole way -------------------------------------------------------------------------------


def test_a_conflict_is_refused_rebased_with_both_reasons_and_merged(student):
    answered(student)
    assert "Huy" in practice.upstream_moves(student)
    assert "Already done" in practice.upstream_moves(student)
    with pytest.raises(practice.PracticeError, match="Please rebase"):
        practice.merge(student)
    assert "does not know the newest upstream" in missing(student, "rebase")
    student.git("fetch upstream")
    assert "begins at an old commit" in missing(student, "rebase")
    student.git("rebase upstream/main")
    assert "not finished: in conflict are deskkit/hours.py" in missing(student, "rebase")
    student.resolve("deskkit/hours.py", sample.RIGHT.split('closed."""\n')[1])
    student.git("add deskkit/hours.py")
    student.git("rebase --continue")
    assert "One side of the conflict was lost" in missing(student, "rebase")
    student.write("deskkit/hours.py", sample.right_hours(with_huys=True))
    student.git("commit -am 'Keep both reasons, issue 12'")
    assert "--force-with-lease" in missing(student, "rebase")
    assert not student.run_git("push").ok
    student.git("push --force-with-lease")
    assert practice.check(student, "rebase").done
    assert practice.merge(student).merged
    assert practice.check(student, "merged").done
    assert "main in your clone is behind" in missing(student, "synced")
    student.git("fetch upstream")
    student.git("switch main")
    student.git("merge --ff-only upstream/main")
    assert "main in your fork is behind" in missing(student, "synced")
    student.git("push origin main")
    assert practice.check(student, "synced").done
    after = practice.where(student, "synced")
    assert set(after[after["who"] == "Huy"]["place"]) >= {"upstream main", "fork main"}
    assert set(practice.where(student, "merged").columns) == set(after.columns)


def moved(student):
    answered(student)
    practice.upstream_moves(student)
    student.git("fetch upstream")
    return student


def test_committed_conflict_markers_are_named_with_the_way_back(student):
    moved(student).git("rebase upstream/main")
    student.git("add --all")
    student.git("rebase --continue")
    said = missing(student, "rebase")
    assert "deskkit/hours.py" in said
    assert f"git reset --hard origin/{BRANCH}" in said
    student.git("push --force-with-lease")
    assert "mend the file" in missing(student, "rebase")


def test_a_merge_in_the_place_of_a_rebase_is_refused_by_the_check_and_by_lan(student):
    moved(student).git("merge upstream/main")
    assert "git merge --abort" in missing(student, "rebase")
    student.write("deskkit/hours.py", sample.right_hours(with_huys=True))
    student.git("add --all")
    student.git('commit -m "Merge main for issue 12"')
    student.git("push")
    assert "You merged main" in missing(student, "rebase")
    with pytest.raises(practice.PracticeError, match="please rebase"):
        practice.merge(student)


@pytest.mark.parametrize("test_too", [True, False])
def test_lan_does_not_merge_what_undoes_huys_change(student, test_too):
    moved(student).git("rebase upstream/main")
    student.write("deskkit/hours.py", sample.right_hours(with_huys=False))
    if test_too:
        student.write("tests/test_hours.py", sample.TEST_HOURS + NIGHT_TEST + EDGE_TEST)
    student.git("add --all")
    student.git("rebase --continue")
    assert "One side of the conflict was lost" in missing(student, "rebase")
    student.git("push --force-with-lease")
    with pytest.raises(practice.PracticeError, match="Lan does not merge yet"):
        practice.merge(student)


def test_who_merges_first_has_no_conflict(student):
    answered(student)
    assert practice.merge(student).merged
    assert "Huy has to rebase" in practice.upstream_moves(student)


def test_marks_show_where_commits_are_after_each_step(student):
    mended(student)
    assert practice.check(student, "commit").done
    student.git(f"push --set-upstream origin {BRANCH}")
    assert practice.check(student, "push").done
    assert practice.steps(student) == ("commit", "push")
    mine = [
        set(state[state["who"] == "you"]["place"])
        for state in (practice.where(student, step) for step in ("commit", "push"))
    ]
    assert mine == [{"clone branch"}, {"clone branch", "fork branch"}]
    with pytest.raises(practice.PracticeError, match="not done yet"):
        practice.where(student, "merged")


def test_formatting_every_file_hides_a_change_that_ignoring_spaces_shows(student):
    mended(student)
    head = student.ask("rev-parse", "HEAD")
    other = practice.reformat(student, head)
    plain, noisy, quiet = (
        practice.diff_size(student, f"{head}^", commit, ignore_space=ignore)
        for commit, ignore in ((head, True), (other, False), (other, True))
    )
    assert len(noisy) > len(plain)
    assert [(part.path, part.added, part.removed) for part in quiet] == [
        (part.path, part.added, part.removed) for part in plain
    ]
    assert trials.tests(student, other).green
    assert student.ask("status", "--porcelain") == ""
    assert student.branch() == BRANCH


def test_an_unknown_step_and_a_wrong_answer_are_explained(student):
    with pytest.raises(practice.PracticeError, match="The steps: fork, clone"):
        practice.check(student, "no-such-step")
    with pytest.raises(practice.PracticeError, match="another kind of answer"):
        practice.check(student, "fork", hours="x")


def test_every_step_says_something_when_nothing_is_done(student):
    for step in practice.STEPS:
        assert len(missing(student, step).split()) > 4


def test_the_hook_names_this_python_in_a_form_that_a_shell_reads(student):
    text = (student.upstream / "hooks" / "update").read_text(encoding="utf-8")
    assert text.startswith("#!/bin/sh\n")
    assert Path(sys.executable).as_posix() in text
    if os.name == "posix":
        assert os.access(student.upstream / "hooks" / "update", os.X_OK)


def test_names_that_git_could_not_store_are_refused(tmp_path, monkeypatch):
    monkeypatch.setenv(places.WORK_VARIABLE, str(tmp_path / "my-work"))
    for name in ("", 'a"b', "a\nb"):
        with pytest.raises(practice.PracticeError, match="cannot stand in a commit"):
            desk.start(name=name)
