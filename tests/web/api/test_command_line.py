"""What the command line does with subscribers, mailings and articles, the API does."""

from __future__ import annotations

from pathlib import Path

import click
import pytest
from tests.web.api.room import HARBOUR, desk
from tests.web.served import NOW

from dispatch.cli import dispatch
from dispatch.newsroom import mailings, send, subscribers
from dispatch.web import api

ORDER = {"desk": "world", "articles": [HARBOUR]}
DOES = {
    "subscribers import": {"import_subscribers"},
    "subscribers add": {"add_subscriber"},
    "subscribers list": {"list_subscribers"},
    "subscribers export": {"export_subscribers"},
    "subscribers show": {"show_subscriber"},
    "subscribers remove": {"remove_subscriber"},
    "subscribers forget": {"forget_subscriber"},
    "subscribers suppress": {"suppress"},
    "subscribers unsuppress": {"lift_suppression"},
    "subscribers feed": {"show_feeds", "renew_feeds", "revoke_feeds", "list_shared_feeds"},
    "send": {"make_mailing", "rehearse_mailing", "send_test_copies"},
    "mailing list": {"list_mailings"},
    "mailing show": {"show_mailing", "show_reasons"},
    "mailing recipients": {"list_recipients", "find_recipient"},
    "mailing pause": {"pause_mailing"},
    "mailing resume": {"resume_mailing"},
    "mailing cancel": {"cancel_mailing"},
    "mailing retry": {"retry_mailing"},
    "mailing replay": {"replay_copy"},
    "mailing verify": {"verify_mailing"},
    "publish": {"publish_article"},
    "read": {"read_article"},
    "check": {"check_article"},
}
ONLY_THERE = {"list_suppressions", "list_articles", "show_article", "show_version", "list_desks"}
"""Operations that no command has: a person looks into the folder, or knows their desks."""
NOT_THERE = {
    "run": "sends what the API makes, and stays",
    "serve": "is what the API is part of",
    "token": "decides who may use the API: nobody may let themselves in",
    "rebuild": "concerns the files of the server, not what is in them",
    "bounces": "reads a mailbox of the server",
    "dkim": "makes keys, which stay on the server",
    "doctor": "looks at the server and its DNS",
    "catch": "is for a try-out",
    "templates": "concerns files of the server",
    "completion": "is for a shell",
}
GROUPS = ("subscribers", "mailing")
OTHERWISE = {
    "out": "is the server's",
    "as_json": "is all there is",
    "debug": "is in the log",
    "yes": "is said by asking",
    "later": "is what is always so",
    "file": "is the body",
    "standard_input": "is the body",
}


def test_every_command_is_an_operation_or_has_a_reason_not_to_be() -> None:
    found = set()
    for name, command in dispatch.commands.items():
        inner = command.commands if name in GROUPS and isinstance(command, click.Group) else None
        found |= {f"{name} {each}" for each in inner} if inner else {name}
    assert found - set(DOES) == {name for name in found if name in NOT_THERE}
    assert set(DOES) <= found


def test_every_operation_is_a_command_or_is_known_not_to_be() -> None:
    assert {o.name for o in api.OPERATIONS} == set().union(*DOES.values()) | ONLY_THERE


@pytest.mark.parametrize("name", list(DOES))
def test_every_option_of_a_command_can_be_said(name: str) -> None:
    command: click.Command = dispatch
    for word in name.split():
        assert isinstance(command, click.Group)
        command = command.commands[word]
    operations = [o for o in api.OPERATIONS if o.name in DOES[name]]
    said = {field for o in operations for field in o.parameters.__struct_fields__}
    for operation in operations:
        for body in operation.bodies.values():
            said |= set(getattr(body, "__struct_fields__", ()))
    missing = {str(p.name) for p in command.params} - said - set(OTHERWISE) - ONCE.get(name, set())
    assert not missing


def test_what_a_command_tells_as_json_the_api_tells(tmp_path: Path) -> None:
    newsroom = desk(tmp_path)
    newsroom.room.subscribe("ida@example.org")
    out, ida = newsroom.room.out, {"email": "ida@example.org"}
    with newsroom.program() as program:
        program.post("/suppressions", {**ida, "desk": "culture", "reason": "asked"})
        plan = program.post("/mailings/rehearse", ORDER).json()
        program.post("/mailings", ORDER)
        profile = program.post("/subscribers/show", ida).json()
        mailing = program.get("/mailings/1").json()
        reasons = program.get("/mailings/1/reasons").json()
        recipient = program.post("/mailings/1/recipients/find", ida).json()
        proof = program.get("/mailings/1/proof").json()
    told = subscribers.show(ida["email"], out, NOW).to_json()
    assert profile.keys() == told.keys()
    assert profile["subscriptions"][0].keys() == told["subscriptions"][0].keys()
    consents = [each["subscriptions"][0]["consent"].keys() for each in (profile, told)]
    assert consents[0] == consents[1]
    assert profile["suppressions"][0].keys() == told["suppressions"][0].keys()
    assert {**mailing, **reasons}.keys() == mailings.show(out, 1).to_json().keys()
    assert proof == mailings.verify(out, 1).to_json()
    with mailings.recipients(out, 1) as found:
        assert recipient.keys() == next(found).to_json().keys()
    order = send.Order(out, (str(tmp_path / "harbour.txt"),), "world", again=True)
    rehearsed = send.rehearse(order, newsroom.room.settings, NOW).to_json()
    assert plan.keys() - {"warnings", "refusal"} == rehearsed.keys() - {"mailing"}


ONCE = {
    "send": {"test", "dry_run"},  # operations of their own
    "publish": {"articles"},  # one in a request
    "read": {"article"},
    "check": {"articles"},
    "subscribers export": {"limit"},  # it is streamed
    "subscribers feed": {"renew", "revoke"},  # operations of their own
}


def test_the_document_of_the_api_tells_every_operation() -> None:
    text = Path(__file__).parents[3].joinpath("docs/api.md").read_text(encoding="utf-8")
    for operation in api.OPERATIONS:
        shortened = [operation.path, f"/{operation.path.rpartition('/')[2]}`", f"…{operation.path}"]
        assert any(path in text for path in shortened), operation.path
