"""The mailbox's books: one row per message. A message that comes again under its Message-ID is the same one, as for a mail
program that knows it; how often it came is counted.
"""

import email
import email.policy
import secrets
import time
from email.message import EmailMessage

from sandbox import database
from sandbox.faults import Kind

NAME, CALL = "mailbox", "mail"
SCHEMA = """
CREATE TABLE IF NOT EXISTS mails (
    id INTEGER PRIMARY KEY, at REAL NOT NULL, message_id TEXT NOT NULL UNIQUE, sender TEXT NOT NULL,
    receiver TEXT NOT NULL, subject TEXT NOT NULL, text TEXT NOT NULL, html TEXT NOT NULL,
    came INTEGER NOT NULL DEFAULT 1
);
"""
TABLES = ("mails",)
KEPT = 500
FAULTS = (
    Kind("down", "Calls are answered 503", (CALL,)),
    Kind("error_after_accepting", "The work is done, then the answer is 500", (CALL,)),
)


class NoMail(ValueError):
    """What was posted is no mail that can be kept."""


def seed() -> None:
    """Nothing is there before the shop writes."""


def put(raw: bytes) -> int:
    """Keep a mail as it travels (RFC 5322); its number here. Raises NoMail."""
    message = email.message_from_bytes(raw, policy=email.policy.default)
    number = str(message["Message-ID"] or "").strip()
    if not number or not message["To"]:
        raise NoMail("a mail has a Message-ID and somebody to go to")
    with database.transaction():
        database.execute(
            "INSERT INTO mails (at, message_id, sender, receiver, subject, text, html) VALUES (?, ?, ?, ?, ?, ?, ?)"
            " ON CONFLICT (message_id) DO UPDATE SET came = came + 1",
            time.time(), number, str(message["From"]), str(message["To"]), str(message["Subject"]),
            _part(message, "plain"), _part(message, "html"),
        )  # fmt: skip
        found = database.row("SELECT id FROM mails WHERE message_id = ?", number)
        database.execute("DELETE FROM mails WHERE id <= (SELECT max(id) FROM mails) - ?", KEPT)
    return int(found["id"]) if found else 0


def put_message(receiver: str, subject: str, text: str) -> None:
    """Keep a message that was no mail (WeChat's)."""
    database.execute(
        "INSERT INTO mails (at, message_id, sender, receiver, subject, text, html) VALUES (?, ?, 'WeChat', ?, ?, ?, '')",
        time.time(), secrets.token_hex(8), receiver, subject, text,
    )  # fmt: skip


def _part(message: EmailMessage, kind: str) -> str:
    found = message.get_body(preferencelist=(kind,))
    return str(found.get_content()) if found is not None else ""


def newest(receiver: str = "", limit: int = 100) -> list[database.Row]:
    """The newest mails first; only those to `receiver` where that is given."""
    return database.rows(
        "SELECT * FROM mails WHERE ? = '' OR receiver = ? ORDER BY id DESC LIMIT ?", receiver, receiver, limit
    )


def one(number: int) -> database.Row | None:
    return database.row("SELECT * FROM mails WHERE id = ?", number)


def everything() -> dict[str, list[database.Row]]:
    """All mails, oldest first."""
    return {"mails": database.rows("SELECT * FROM mails ORDER BY id")}
