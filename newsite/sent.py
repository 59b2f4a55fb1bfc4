"""What a form has sent, in a form that sends the same again: on a page for which nothing could be saved."""

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from django.core.exceptions import SuspiciousOperation
from django.http import HttpRequest
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from newsite.origin import is_same_origin

# What is never shown. It has to be typed again.
SECRETS: dict[str, Any] = {
    "password": gettext_lazy("Password"),
    "old_password": gettext_lazy("Old password"),
    "new_password1": gettext_lazy("New password"),
    "new_password2": gettext_lazy("New password, once more"),
    "password1": gettext_lazy("New password"),
    "password2": gettext_lazy("New password, once more"),
}
CODES: dict[str, Any] = {"code": gettext_lazy("Code")}
# What people write, even where it is one word. The forms of a page tell theirs apart by what stands before.
TEXTS = {"body", "text", "note", "title", "standfirst", "addresses"}
# Who writes, in one line.
LINES = {"username", "name", "email", "website"}

# So many letters a line of the box has, and so many lines the box has at most.
COLUMNS, MOST_ROWS = 60, 12


class Field(NamedTuple):
    name: str
    value: str
    # "hidden", "text", "line", "password", "code" or "file".
    kind: str
    label: str = ""

    @property
    def rows(self) -> int:
        """Return how many lines its box has: about as many as the text, so that a title looks like one."""
        lines = sum(1 + len(line) // COLUMNS for line in self.value.split("\n"))
        return min(max(lines, 2), MOST_ROWS)


def fields_of(request: HttpRequest) -> list[Field]:
    """Return all that was sent, each value of a name by itself, in the order of the form.

    It is as long as Django lets a form be: DATA_UPLOAD_MAX_MEMORY_SIZE, and so many fields.
    Empty where nothing can be read of it.
    """
    try:
        return [*_values(request), *_files(request)]
    except Exception:  # whatever is wrong with the form: what is told here is another fault
        return []


def may_be_sent_again(request: HttpRequest) -> bool:
    """Say whether the page may have a button. For another site's form it would make one of our own."""
    try:
        return is_same_origin(request)
    except SuspiciousOperation:
        return False


def _values(request: HttpRequest) -> Iterator[Field]:
    for name, values in request.POST.lists():
        for value in values:
            if name in SECRETS and value:
                yield Field(name, "", "password", str(SECRETS[name]))
            elif name in CODES and value:
                yield Field(name, "", "code", str(CODES[name]))
            elif name in LINES and value:
                yield Field(name, value, "line", _label(name))
            elif _is_text(name, value):
                yield Field(name, value, "text", _label(name))
            else:
                yield Field(name, value, "hidden")


def _files(request: HttpRequest) -> Iterator[Field]:
    for name, files in request.FILES.lists():
        for file in files:
            yield Field(name, "", "file", file.name or "")


def _is_text(name: str, value: str) -> bool:
    """Say whether somebody has typed it and would miss it, as far as a value can tell."""
    return bool(value) and (_last_part(name) in TEXTS or re.search(r"\s", value) is not None)


def _last_part(name: str) -> str:
    return name.rpartition("-")[2]


def _label(name: str) -> str:
    part = _last_part(name)
    # As the fields of the models are called, whose names are translated.
    return _("Your text") if part in {"body", "text"} else capfirst(_(part.replace("_", " ")))
