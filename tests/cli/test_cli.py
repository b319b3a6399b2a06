"""The command line, run as a person or a machine would run it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ARTICLE = """Ferry returns to Port Ellery
The new boat is quieter, faster and already too small.

The first ferry left Port Ellery at dawn on Sunday with forty passengers aboard and a crew of three.
Captain Ida Marlow said the crossing took nineteen minutes, two fewer than the old boat needed.
About the correspondent
Nora VanceWorld
"""


class Shell:
    """Runs ``dispatch`` in a folder of its own, with nothing configured."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environment = {
            name: value for name, value in os.environ.items() if not name.startswith("DISPATCH_")
        }

    def run(self, *arguments: str, **options: object) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "dispatch", *arguments],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            encoding="utf-8",
            timeout=120,
            check=False,
            **options,  # type: ignore[call-overload]
        )


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    (tmp_path / "article.txt").write_text(ARTICLE, encoding="utf-8")
    return Shell(tmp_path)


def test_publish_in_an_empty_folder(shell: Shell) -> None:
    done = shell.run("publish", "article.txt", "--published", "2026-10-04T09:30+02:00")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("published  Ferry returns to Port Ellery (World, version 1)\n")
    place = "world/2026/10/04/ferry-returns-to-port-ellery"
    for name in ("email.html", "email.txt", "email.eml", "copy.txt", "copy.ascii.txt"):
        assert f"outbox/{place}/{name}" in done.stdout
        assert (shell.folder / "outbox" / place / name).is_file()
    assert "DISPATCH_SITE_URL" in done.stderr


def test_publish_again_prints_unchanged(shell: Shell) -> None:
    shell.run("publish", "article.txt")
    assert shell.run("publish", "article.txt").stdout.startswith("unchanged  Ferry returns")


def test_publish_json_is_the_whole_of_standard_output(shell: Shell) -> None:
    done = shell.run("publish", "article.txt", "missing.txt", "--json", "--out", "site")
    assert done.returncode == 1
    good, bad = json.loads(done.stdout)["articles"]
    assert list(good) == [
        "path", "id", "version", "action", "desk", "slug", "headline", "files", "feeds", "notes",
    ]  # fmt: skip
    assert good["path"] == "article.txt"
    assert (good["action"], good["version"], good["desk"]) == ("published", 1, "World")
    assert list(good["files"]) == [
        "web", "email_html", "email_text", "eml", "wire", "wire_ascii",
    ]  # fmt: skip
    for path in [*good["files"].values(), *good["feeds"].values()]:
        assert path.startswith("site/")
        assert (shell.folder / path).is_file()
    assert (bad["path"], bad["action"], bad["id"]) == ("missing.txt", "refused", None)
    assert "There is no file missing.txt" in bad["notes"][-1]["message"]


def test_publish_reads_standard_input(shell: Shell) -> None:
    done = shell.run("publish", "-", "--desk", "Metro", "--json", input=ARTICLE)
    assert json.loads(done.stdout)["articles"][0]["desk"] == "Metro"


def test_a_rehearsal_leaves_the_folder_as_it_was(shell: Shell) -> None:
    done = shell.run("publish", "article.txt", "--dry-run")
    assert done.returncode == 0
    assert sorted(path.name for path in shell.folder.iterdir()) == ["article.txt"]


def test_read_shows_what_was_understood(shell: Shell) -> None:
    done = shell.run("read", "article.txt")
    assert done.returncode == 0
    assert "Nora Vance, World desk" in done.stdout


def test_read_json_has_the_promised_shape(shell: Shell) -> None:
    read = json.loads(shell.run("read", "article.txt", "--json").stdout)
    for key in ("reader", "headline", "standfirst", "slug", "desk", "language", "published",
                "updated", "dateline", "authors", "keywords", "body", "sources", "notes"):  # fmt: skip
        assert key in read
    assert read["authors"] == [{"name": "Nora Vance", "role": None, "desk": "World", "bio": None}]
    assert [list(block) for block in read["body"]] == [["kind", "text", "html"]] * 2
    assert read["published"] is None


def test_check_finds_what_would_embarrass(shell: Shell) -> None:
    (shell.folder / "bad.md").write_text(
        "# ACT NOW TO SAVE THE LAST FERRY!!\n\n"
        "The the ferry ![](https://images.example.org/1.jpg) sinks, says [a man](http:/nowhere).\n\n"
        "![](https://images.example.org/1.jpg)\n"
    )
    done = shell.run("check", "bad.md", "--json")
    (told,) = json.loads(done.stdout)["articles"]
    assert told["path"] == "bad.md"
    found = [(finding["level"], finding["where"]) for finding in told["findings"]]
    assert found == [
        ("error", "image 1"),
        ("error", "image 2"),
        ("error", "body"),  # a link without a host
        ("warning", "standfirst"),
        ("warning", "language"),
        ("warning", "byline"),
        ("warning", "paragraph 1"),  # the the
        ("warning", "headline"),  # capitals
        ("warning", "headline"),  # !!
        ("warning", "headline"),  # act now
    ]
    assert "http:/nowhere" in told["findings"][2]["message"]
    assert done.returncode == 1


def test_check_that_finds_only_warnings_is_no_error(shell: Shell) -> None:
    (shell.folder / "plain.md").write_text("# A plain headline\n\nThe the ferry sails.\n")
    done = shell.run("check", "plain.md")
    assert done.returncode == 0
    assert "  warning: paragraph 1: “The” stands twice: The the ferry sails.\n" in done.stdout


def test_check_of_many_tells_of_each(shell: Shell) -> None:
    (shell.folder / "empty.md").write_text("")
    done = shell.run("check", "empty.md", "article.txt", "missing.md", "--json")
    told = {each["path"]: each["findings"] for each in json.loads(done.stdout)["articles"]}
    assert [f["level"] for f in told["empty.md"]] == ["error"]
    assert [f["level"] for f in told["missing.md"]] == ["error"]
    assert {f["level"] for f in told["article.txt"]} == {"warning"}
    assert done.returncode == 1


def test_check_knows_what_day_it_is(shell: Shell) -> None:
    for year in ("2001", "2199"):
        (shell.folder / f"{year}.md").write_text(
            f"---\ntitle: A headline\ndate: {year}-10-04T09:30:00Z\n---\n\nThe ferry sails.\n"
        )
    done = shell.run("check", "2001.md", "2199.md")
    assert done.stdout.count("is still to come") == 1


def test_check_of_a_sound_article_is_no_error(shell: Shell) -> None:
    assert shell.run("check", "article.txt").returncode == 0


@pytest.mark.parametrize(
    ("arguments", "status", "says"),
    [
        (["publish"], 2, "Missing argument 'ARTICLE...'"),
        (["publish", "article.txt", "--published", "yesterday"], 2, "--published"),
        (["publish", "article.txt", "--published", "2026-10-04T09:30"], 2, "time zone"),
        (["publish", "article.txt", "article.txt", "--nonsense"], 2, "No such option"),
        (["publish", ".", "--slug", "a", "article.txt", "missing.txt"], 2, "--slug is for one"),
        (["publish", "article.txt", "--desk", "a\nb"], 2, "on one line"),
        (["publish", "article.txt", "--desk", "../x"], 1, "cannot stand in an address"),
        (["read", "missing.txt"], 1, "There is no file missing.txt"),
        (["publish", "empty"], 2, "There is no article in empty"),
        (["check", "empty"], 2, "There is no article in empty"),
        (["publish", ""], 1, "name of an article is empty"),
        (["frobnicate"], 2, "No such command"),
        (["templates", "copy", "nothing"], 1, "There is no template nothing"),
    ],
)
def test_what_is_wrong_is_said_in_a_sentence(
    shell: Shell, arguments: list[str], status: int, says: str
) -> None:
    (shell.folder / "empty").mkdir()
    done = shell.run(*arguments)
    assert done.returncode == status
    assert says in done.stderr
    assert "Traceback" not in done.stderr


def test_debug_shows_the_traceback(shell: Shell) -> None:
    assert "Traceback" in shell.run("read", "missing.txt", "--debug").stderr


def test_a_setting_that_makes_no_sense_is_wrong_usage(shell: Shell) -> None:
    shell.environment["DISPATCH_ACCENT"] = "reddish"
    done = shell.run("publish", "article.txt")
    assert done.returncode == 2
    assert "DISPATCH_ACCENT" in done.stderr


def test_a_desks_setting_that_makes_no_sense_is_wrong_usage_too(shell: Shell) -> None:
    shell.environment["DISPATCH_ACCENT__WORLD"] = "reddish"
    done = shell.run("publish", "article.txt", "--json")
    assert done.returncode == 2
    assert "DISPATCH_ACCENT__WORLD" in done.stderr
    (refused,) = json.loads(done.stdout)["articles"] or [{"action": "refused"}]
    assert refused["action"] == "refused"


def test_a_user_without_a_home_can_publish(shell: Shell) -> None:
    shell.environment.pop("HOME", None)
    shell.environment["DISPATCH_CACHE"] = "/proc/nowhere"
    assert shell.run("publish", "article.txt").returncode == 0


def test_a_broken_index_page_refuses_what_would_stand_on_it(shell: Shell) -> None:
    own = shell.folder / "templates/web/index.html"
    own.parent.mkdir(parents=True)
    own.write_text("{{ nonsense }}")
    for dry_run in ([], ["--dry-run"]):
        done = shell.run("publish", "article.txt", "--json", *dry_run)
        assert done.returncode == 1
        assert "index.html, line 1" in done.stderr
        assert "Traceback" not in done.stderr
    assert not (shell.folder / "public").exists()


def test_output_that_cannot_be_written_is_said(shell: Shell) -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "dispatch", "read", "article.txt", "--json"],
            cwd=shell.folder, env=shell.environment, stdout=full, stderr=subprocess.PIPE,
            encoding="utf-8", check=False,
        )  # fmt: skip
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "output cannot be written" in done.stderr


def test_a_file_name_of_any_bytes_can_be_published(shell: Shell) -> None:
    name = os.fsdecode(b"caf\xe9.txt")
    (shell.folder / name).write_text(ARTICLE, encoding="utf-8")
    assert shell.run("publish", name).returncode == 0
    assert shell.run("publish", name).stdout.startswith("unchanged")


def test_settings_are_read_from_dotenv(shell: Shell) -> None:
    (shell.folder / ".env").write_text("DISPATCH_SITE_URL=https://courier.example\n")
    done = shell.run("publish", "article.txt", "--json")
    assert json.loads(done.stdout)["articles"][0]["id"].startswith("tag:courier.example,")
    assert done.stderr == ""


def test_a_database_of_a_newer_version_is_refused(shell: Shell) -> None:
    import sqlite3

    shell.run("publish", "article.txt")
    connection = sqlite3.connect(shell.folder / "dispatch.db")
    connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.commit()
    connection.close()
    done = shell.run("publish", "article.txt")
    assert done.returncode == 1
    assert "newer version of Dispatch" in done.stderr


def test_terminals_are_not_steered_by_names(shell: Shell) -> None:
    name = "evil\x1b]0;owned\x07\x1b[2J.txt"
    done = shell.run("publish", name)
    assert "\x1b" not in done.stdout + done.stderr
    assert "\\x1b" in done.stdout


def test_templates_are_listed_and_copied(shell: Shell) -> None:
    listed = shell.run("templates", "list").stdout
    assert "email/article.html" in listed
    assert "yours" not in listed
    copied = shell.run("templates", "copy", "web/article.html")
    assert copied.returncode == 0
    assert (shell.folder / "templates/web/article.html").is_file()
    again = shell.run("templates", "copy", "web/article.html")
    assert again.returncode == 1
    assert "--force" in again.stderr
    listed = json.loads(shell.run("templates", "list", "--json").stdout)["templates"]
    assert [t["name"] for t in listed if t["own"]] == ["web/article.html"]


@pytest.mark.parametrize("shell_name", ["bash", "zsh", "fish"])
def test_completion_scripts_are_printed(shell: Shell, shell_name: str) -> None:
    done = shell.run("completion", shell_name)
    assert done.returncode == 0
    assert "_DISPATCH_COMPLETE" in done.stdout


@pytest.mark.parametrize(
    "command",
    [[], ["publish"], ["read"], ["check"], ["templates"], ["templates", "list"],
     ["templates", "copy"], ["completion"]],
)  # fmt: skip
def test_every_command_has_help(shell: Shell, command: list[str]) -> None:
    done = shell.run(*command, "--help")
    assert done.returncode == 0
    assert done.stdout.startswith("Usage: dispatch")
    if command != ["templates", "list"]:
        assert "Examples:" in done.stdout


def test_output_that_nobody_reads_any_more_is_no_error(shell: Shell) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "dispatch", "templates", "list"],
        cwd=shell.folder,
        env=shell.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout
    assert process.stderr
    process.stdout.close()
    assert process.stderr.read() == b""
    process.stderr.close()
    assert process.wait(60) in (0, 1)
