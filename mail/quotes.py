"""Strangers' words in a mail, so that nobody takes them for the site's own."""

import re

from django.utils.text import Truncator

# Of a text that is told of in passing, so much is shown.
BEGINNING = 300
# Whatever is shorter is no sentence, but "No." or "Dr."
SHORTEST_SENTENCE = 30
END_OF_SENTENCE = re.compile(r"[.!?…][\"'”’»)]*(?=\s)|[。！？][」』”]*")


def quoted(text: str) -> str:
    """Mark a text line by line, as plain mails do."""
    return "\n".join(f"> {line}".rstrip() for line in text.splitlines())


def beginning(text: str) -> str:
    """Return the first words of a text, in one line."""
    return Truncator(" ".join(text.split())).chars(BEGINNING)


def first_sentence(text: str) -> str:
    """Return the first sentence of a text, in one line, but not of what it quotes itself."""
    own = [line for line in text.splitlines() if not line.lstrip().startswith(">")]
    whole = " ".join(" ".join(own).split()) or " ".join(text.split())
    end = END_OF_SENTENCE.search(whole, SHORTEST_SENTENCE)
    if end and end.end() < len(whole):
        whole = f"{whole[: end.end()]} …"
    return beginning(whole)
