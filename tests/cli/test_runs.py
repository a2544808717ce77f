from __future__ import annotations


def test_runs_are_listed(cli, small_run):
    answer = cli("runs", "--root", small_run.parent, "--json")
    assert answer.code == 0
    (summary,) = answer.json["runs"]
    assert summary["name"] == "small"
    assert summary["updates"] == 20
    lines = cli("runs", "list", "--root", small_run.parent).out.splitlines()
    assert lines[0].startswith("name ")
    assert lines[1].startswith("small ")


def test_no_runs_yet_is_no_fault(cli):
    assert cli("runs", "--json").json == {"runs": []}
    assert cli("runs").out.startswith("no runs in ")


def test_a_damaged_run_is_left_out(cli, tmp_path):
    (tmp_path / "runs" / "torn").mkdir(parents=True)
    (tmp_path / "runs" / "torn" / "config.json").write_text("{", encoding="utf-8")
    assert cli("runs", "--json").json == {"runs": []}


def test_a_run_is_shown_by_name_or_path(cli, small_run):
    answer = cli("runs", "show", small_run, "--json")
    assert answer.json["folder"] == str(small_run)
    assert answer.json["values"]["delay"] == 2
    assert "torch" in answer.json["versions"]
    by_name = cli("runs", "show", "small", "--root", small_run.parent, "--json")
    assert by_name.json == answer.json
    assert "\ndelay " in cli("runs", "show", small_run).out


def test_what_is_no_run_is_one_line(cli, tmp_path):
    answer = cli("runs", "show", tmp_path)
    assert answer.code == 2
    assert "is no run folder" in answer.complaint
