"""The student's own work is never lost: saving, packing and restoring, also with bad input."""

import errno
import json
import os
import shutil
import stat
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pytest
from osai import packing, places, work


@pytest.fixture(autouse=True)
def own(tmp_path, monkeypatch) -> Path:
    """An empty work folder, and a current folder without zips."""
    monkeypatch.setenv(places.WORK_VARIABLE, str(tmp_path / "my-work"))
    monkeypatch.chdir(tmp_path)
    return tmp_path / "my-work"


def age(file: Path, seconds: float) -> None:
    """Make a file older (or, if negative, younger)."""
    changed = file.stat().st_mtime - seconds
    os.utime(file, (changed, changed))


def snapshot(folder: Path) -> dict[str, bytes]:
    return {
        str(file.relative_to(folder)): file.read_bytes()
        for file in sorted(folder.rglob("*"))
        if file.is_file()
    }


# --- saving and loading


@pytest.mark.parametrize(
    "what",
    [{"C01": "mixed", "số": [1, 2.5, None]}, [], 3, True, None],
)
def test_results_come_back_as_they_were(what):
    work.save("verdicts", what)
    assert work.load("verdicts") == what


def test_results_are_readable_utf8_json(own):
    file = work.save("verdicts", {"khách": "anh Dũng"})
    assert file == own / "verdicts.json"
    assert "anh Dũng" in file.read_text(encoding="utf-8")


def test_numpy_numbers_and_dataclasses_can_be_saved():
    @dataclass
    class Run:
        loss: float

    import numpy as np

    work.save("run", {"run": Run(0.5), "losses": np.array([1.0, 0.5]), "n": np.int64(2)})
    assert work.load("run") == {"run": {"loss": 0.5}, "losses": [1.0, 0.5], "n": 2}


def test_a_table_comes_back_as_a_table():
    table = pd.DataFrame({"năm": [2023, 2024], "developers": [1.5, 2.0]})
    assert work.save("growth", table).name == "growth.csv"
    pd.testing.assert_frame_equal(work.load("growth"), table)


def test_text_bytes_and_files_are_kept_as_they_are(tmp_path):
    work.save("note", "Chào bác ạ\n")
    assert work.load("note") == "Chào bác ạ\n"
    assert work.save("page.html", b"<p>\xff</p>").read_bytes() == b"<p>\xff</p>"
    source = tmp_path / "picture.png"
    source.write_bytes(b"\x89PNG")
    assert work.save("figure", source).name == "figure.png"
    assert work.load("figure").read_bytes() == b"\x89PNG"


def adapter(folder: Path, weights: bytes = b"w") -> Path:
    folder.mkdir(parents=True)
    (folder / "adapter_model.safetensors").write_bytes(weights)
    (folder / "adapter_config.json").write_text("{}", encoding="utf-8")
    return folder


def test_an_adapter_is_a_folder_and_replaces_the_earlier_one_whole(tmp_path, own):
    first = adapter(tmp_path / "first")
    (first / "old-file").write_text("x", encoding="utf-8")
    work.save("adapter", first)
    target = work.save("adapter", adapter(tmp_path / "second", b"new"))
    assert target == own / "adapter"
    assert sorted(snapshot(target)) == ["adapter_config.json", "adapter_model.safetensors"]
    assert work.load("adapter") == target
    assert (target / "adapter_model.safetensors").read_bytes() == b"new"


def test_saving_a_folder_onto_itself_changes_nothing(own):
    made = adapter(own / "adapter")
    before = snapshot(made)
    assert work.save("adapter", made) == made
    assert snapshot(made) == before


def test_saving_again_replaces_and_leaves_no_half_files(own):
    work.save("verdicts", [1])
    work.save("verdicts", [2])
    assert work.load("verdicts") == [2]
    assert [p.name for p in own.iterdir()] == ["verdicts.json"]


def test_two_forms_of_one_name_are_refused():
    work.save("growth", [1])
    with pytest.raises(work.WorkError, match=r"growth\.json already exists"):
        work.save("growth", pd.DataFrame({"a": [1]}))


def test_two_forms_made_by_hand_are_not_guessed_between(own):
    work.save("growth", [1])
    (own / "growth.csv").write_text("a\n1\n", encoding="utf-8")
    with pytest.raises(work.WorkError, match="several versions"):
        work.load("growth")
    assert work.load("growth.json") == [1]


@pytest.mark.parametrize(
    "name",
    ["", "..", "../up", "a/b", "a\\b", "/etc/passwd", "C:x", "con", "COM1.json", "a b", "dot.",
     "take-home", "kept-aside", "tab\t", "x" * 300],
)  # fmt: skip
def test_names_that_some_system_cannot_store_are_refused(name, own):
    with pytest.raises(work.WorkError, match="cannot be the name"):
        work.save(name, [1])
    assert not own.exists()


def test_names_may_be_vietnamese_in_either_unicode_form():
    work.save("tiê\u0301ng-Việt", [1])  # NFD: e + combining acute
    assert work.load("tiếng-Việt") == [1]


@pytest.mark.parametrize("what", [object(), {"x": float("nan")}, {1, 2}])
def test_what_cannot_be_saved_says_why(what, own):
    with pytest.raises(work.WorkError, match="cannot be saved as results"):
        work.save("thing", what)
    assert not own.exists()


def test_a_broken_file_is_named_not_a_traceback(own):
    work.save("verdicts", [1])
    (own / "verdicts.json").write_text('{"C01": ', encoding="utf-8")
    with pytest.raises(work.WorkError, match=r"verdicts\.json cannot be read"):
        work.load("verdicts")


# --- samples


def test_a_lesson_without_work_starts_from_a_sample_and_says_so(tmp_path, capsys):
    sample = tmp_path / "sample.json"
    sample.write_text('{"C01": "strong"}', encoding="utf-8")
    assert work.load("verdicts", sample=sample) == {"C01": "strong"}
    assert "sample that comes with the course, not your own work" in capsys.readouterr().out


def test_own_work_goes_before_the_sample(tmp_path, capsys):
    sample = tmp_path / "sample.json"
    sample.write_text("[0]", encoding="utf-8")
    work.save("verdicts", [1])
    assert work.load("verdicts", sample=sample) == [1]
    assert capsys.readouterr().out == ""


def test_missing_work_lists_what_there_is():
    work.save("growth", [1])
    with pytest.raises(work.WorkError, match=r"no 'adapter'.*growth\.json"):
        work.load("adapter")


def test_contents_lists_every_piece_once(tmp_path):
    assert work.contents() == ()
    work.save("adapter", adapter(tmp_path / "made"))
    work.save("verdicts", [1])
    work.pack()
    assert [(e.name, e.kind) for e in work.contents()] == [
        ("adapter", "folder"),
        ("verdicts.json", "results"),
    ]
    assert work.contents()[0].size == 3


# --- packing and restoring


@pytest.fixture
def packed(tmp_path, own) -> Path:
    work.save("verdicts", {"C01": "mixed"})
    work.save("adapter", adapter(tmp_path / "made", b"weights"))
    return work.pack(tmp_path / "home" / "my-work.zip").path


def test_what_is_packed_comes_back_byte_for_byte_on_a_fresh_machine(packed, own):
    before = snapshot(own)
    shutil.rmtree(own)
    done = work.restore(packed)
    assert snapshot(own) == before
    assert set(done.restored) == {"verdicts.json", "adapter"}
    assert done.aside is None


def test_the_newest_zip_is_found_where_students_drop_it(packed, own, tmp_path):
    shutil.rmtree(own)
    shutil.copy(packed, tmp_path / "my-work-2026-11-22-101500.zip")
    work.restore()
    assert work.load("verdicts") == {"C01": "mixed"}


def test_an_uploaded_zip_goes_before_one_that_was_just_packed_here(packed, own, tmp_path):
    shutil.rmtree(own)
    upload = shutil.copy(packed, tmp_path / "my-work-2026-11-22-101500.zip")
    age(Path(upload), 60)
    work.save("note", "a new day on Binder")
    work.pack()
    assert "verdicts.json" in work.restore().restored


def test_zips_are_not_packed_into_zips(packed, own):
    shutil.copy(packed, own / "my-work.zip")
    work.pack()
    again = work.pack()
    with zipfile.ZipFile(again.path) as archive:
        assert not [name for name in archive.namelist() if name.endswith(".zip")]
    assert again.files == 3


def test_restoring_twice_changes_nothing(packed, own):
    before = snapshot(own)
    done = work.restore(packed)
    assert set(done.same) == {"verdicts.json", "adapter"}
    assert snapshot(own) == before


def test_an_older_version_is_kept_aside_when_the_zip_is_newer(packed, own):
    work.save("verdicts", {"C01": "older"})
    age(own / "verdicts.json", 3600)
    done = work.restore(packed)
    assert done.replaced == ("verdicts.json",)
    assert work.load("verdicts") == {"C01": "mixed"}
    assert json.loads((done.aside / "verdicts.json").read_text(encoding="utf-8")) == {
        "C01": "older"
    }


def test_a_newer_version_is_never_overwritten_and_the_report_says_so(packed, own):
    work.save("verdicts", {"C01": "newer"})
    age(own / "verdicts.json", -3600)
    done = work.restore(packed)
    assert done.kept == ("verdicts.json",)
    assert "Your version is newer and stays" in repr(done)
    assert work.load("verdicts") == {"C01": "newer"}
    assert json.loads((done.aside / "verdicts.json").read_text(encoding="utf-8")) == {
        "C01": "mixed"
    }


def test_a_folder_is_restored_whole_never_mixed(packed, own):
    weights = own / "adapter" / "adapter_model.safetensors"
    weights.write_bytes(b"trained later")
    age(weights, -3600)
    (own / "adapter" / "adapter_config.json").unlink()
    done = work.restore(packed)
    assert done.kept == ("adapter",)
    assert snapshot(own / "adapter") == {"adapter_model.safetensors": b"trained later"}
    assert (done.aside / "adapter" / "adapter_model.safetensors").read_bytes() == b"weights"


def test_what_is_kept_aside_travels_too(packed, own):
    work.save("verdicts", {"C01": "older"})
    age(own / "verdicts.json", 3600)
    aside = work.restore(packed).aside
    second = work.pack()
    home = second.path.rename(own.parent / "second.zip")
    shutil.rmtree(own)
    work.restore(home)
    assert (own / "kept-aside" / aside.name / "verdicts.json").is_file()


def test_nothing_to_pack_is_said():
    with pytest.raises(work.WorkError, match="nothing to pack yet"):
        work.pack()


@pytest.mark.skipif(os.name == "nt", reason="this name cannot be made on Windows")
def test_a_name_that_windows_cannot_store_is_named_before_packing(own):
    work.save("verdicts", [1])
    (own / "a:b.txt").write_text("x", encoding="utf-8")
    with pytest.raises(work.WorkError, match=r"'a:b\.txt'"):
        work.pack()


# --- bad zips: nothing may change


def forged(file: Path, members: dict[str, bytes], paths: list[str] | None = None) -> Path:
    """A zip with a manifest that fits it, whatever its paths are."""
    import hashlib

    rows = [
        {
            "path": name,
            "bytes": len(members[name]),
            "modified": "2026-01-01T00:00:00+00:00",
            "sha256": hashlib.sha256(members[name]).hexdigest(),
        }
        for name in (paths if paths is not None else members)
    ]
    manifest = {"format": "osai my-work", "version": 1, "packed": "", "files": rows}
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
        archive.writestr(packing.MANIFEST, json.dumps(manifest))
    return file


@pytest.mark.parametrize(
    "path",
    ["../evil.txt", "a/../../evil.txt", "/evil.txt", "a//b", "./a", "C:/evil.txt", "a\\..\\b",
     "con", "nul.txt", "a.", "a /b", ".ssh/keys", "take-home/x.zip", "x\x01y"],
)  # fmt: skip
def test_a_path_that_leads_out_or_cannot_be_stored_is_refused(path, own, tmp_path):
    work.save("verdicts", [1])
    before = snapshot(tmp_path)
    evil = forged(tmp_path / "evil.zip", {path: b"evil"})
    with pytest.raises(work.WorkError, match="not safe"):
        work.restore(evil)
    evil.unlink()
    assert snapshot(tmp_path) == before


@pytest.mark.parametrize("names", [("A.json", "a.json"), ("a", "a/b"), ("é.txt", "e\u0301.txt")])
def test_names_that_collide_on_some_system_are_refused(names, tmp_path):
    evil = forged(tmp_path / "evil.zip", {name: b"x" for name in names})
    with pytest.raises(work.WorkError, match="not safe"):
        work.restore(evil)


def test_a_link_inside_a_zip_is_refused(tmp_path):
    evil = forged(tmp_path / "evil.zip", {"a": b"/etc/passwd"})
    with zipfile.ZipFile(evil) as archive:
        manifest = archive.read(packing.MANIFEST)
    link = zipfile.ZipInfo("a")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(evil, "w") as archive:
        archive.writestr(link, b"/etc/passwd")
        archive.writestr(packing.MANIFEST, manifest)
    with pytest.raises(work.WorkError, match="link"):
        work.restore(evil)


@pytest.mark.skipif(os.name == "nt", reason="links need rights on Windows")
def test_a_link_in_the_folder_is_not_written_through(packed, own, tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    shutil.rmtree(own / "adapter")
    (own / "adapter").symlink_to(outside, target_is_directory=True)
    done = work.restore(packed)
    assert done.replaced == ("adapter",)
    assert list(outside.iterdir()) == []
    assert not (own / "adapter").is_symlink()
    assert (own / "adapter" / "adapter_config.json").is_file()


def test_members_beside_the_manifest_are_refused(tmp_path):
    evil = forged(tmp_path / "evil.zip", {"a": b"x", "extra": b"y"}, ["a"])
    with pytest.raises(work.WorkError, match="not those of its manifest"):
        work.restore(evil)


def test_a_changed_file_in_a_zip_is_noticed_before_anything_changes(packed, own, tmp_path):
    with zipfile.ZipFile(packed) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    members["verdicts.json"] = members["verdicts.json"].replace(b"mixed", b"wrong")
    with zipfile.ZipFile(packed, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    shutil.rmtree(own)
    with pytest.raises(work.WorkError, match=r"verdicts\.json is not as it was packed"):
        work.restore(packed)
    assert snapshot(own) == {}


@pytest.mark.parametrize("keep", [0, 10, 200, -30])
def test_a_broken_zip_is_said_to_be_damaged(keep, packed, own):
    packed.write_bytes(packed.read_bytes()[:keep])
    before = snapshot(own)
    with pytest.raises(work.WorkError, match="damaged or not a zip"):
        work.restore(packed)
    assert snapshot(own) == before


def test_damage_anywhere_in_a_zip_never_gives_a_traceback_or_a_wrong_file(packed, own):
    original, before = packed.read_bytes(), snapshot(own)
    shutil.rmtree(own)
    for position in range(0, len(original), 7):
        packed.write_bytes(
            original[:position] + bytes([original[position] ^ 0xFF]) + original[position + 1 :]
        )
        try:
            work.restore(packed)
        except work.WorkError:
            continue
        assert snapshot(own) == before  # a byte that does not matter was hit
        shutil.rmtree(own)


@pytest.mark.parametrize(
    "manifest", [b"", b"[]", b'{"format": "other", "version": 1, "files": []}', b"\xff", b'{"a":1}']
)
def test_a_foreign_zip_is_left_alone(manifest, tmp_path):
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        archive.writestr("manifest.json", manifest)
    with pytest.raises(work.WorkError, match="not made by"):
        work.restore(tmp_path / "x.zip")


def test_a_zip_that_grows_beyond_the_limit_is_refused(tmp_path, monkeypatch):
    bomb = forged(tmp_path / "bomb.zip", {"a": b"0" * 1000})
    monkeypatch.setattr(packing, "MAX_BYTES", 999)
    with pytest.raises(work.WorkError, match="unpack to more than"):
        work.restore(bomb)


def test_a_missing_zip_is_said():
    with pytest.raises(work.WorkError, match=r"no file gone\.zip"):
        work.restore("gone.zip")
    with pytest.raises(work.WorkError, match="no my-work zip here"):
        work.restore()


# --- a full disk


def full(*args, **kwargs):
    raise OSError(errno.ENOSPC, "No space left on device")


@pytest.mark.parametrize(
    ("name", "act"),
    [
        ("fsync", lambda home: work.save("verdicts", {"C01": "new"})),
        ("fsync", lambda home: work.pack()),
        ("replace", lambda home: work.save("adapter", home)),
    ],
)
def test_a_full_disk_leaves_the_old_version_and_no_rest(
    name, act, packed, own, tmp_path, monkeypatch
):
    other = adapter(tmp_path / "other", b"other")
    before = snapshot(own)
    with monkeypatch.context() as patch, pytest.raises(work.WorkError, match="disk is full"):
        patch.setattr(os, name, full)
        act(other)
    assert snapshot(own) == before
    assert not [p for p in own.iterdir() if p.name.startswith(".")]


def test_no_room_for_a_restore_is_said_before_unpacking(packed, own, monkeypatch):
    shutil.rmtree(own)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(1, 1, 0))
    with pytest.raises(work.WorkError, match="disk is full"):
        work.restore(packed)


def test_ctrl_c_leaves_no_half_file(own, monkeypatch):
    work.save("verdicts", [1])

    def stop(_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(os, "fsync", stop)
        work.save("verdicts", [2])
    assert work.load("verdicts") == [1]
    assert [p.name for p in own.iterdir()] == ["verdicts.json"]
