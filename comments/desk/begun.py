"""What a moderator has begun on a page of the queue, where another page loads before it is sent.

With a script nothing loads anew. Without one every button sends the whole form: ticks and
texts beside the other comments come along, and wait here for the page that follows.
"""

import re

from django.http import HttpRequest

from comments.queue import ROWS, Row
from newsite.lookups import ID

TICKED, ANSWERS = "queue-ticked", "queue-answers"
# So many answers wait at once, the latest, and none is longer than one that can be posted.
ANSWERS_KEPT, LONGEST = 20, 10_000


def keep(request: HttpRequest) -> None:
    """Keep the ticks and the answers that a form of the queue has sent along."""
    shown = request.POST.getlist("shown")
    if not shown:
        return
    ticked = [pk for pk in request.POST.getlist("ticked") if pk in shown and re.fullmatch(ID, pk)]
    if ticked:
        request.session[TICKED] = ticked[:ROWS]
    sent = {pk: request.POST.get(f"{pk}-body") for pk in shown}
    # As a field counts: browsers send two characters for a line's end.
    texts = {pk: text.replace("\r\n", "\n") for pk, text in sent.items() if text is not None}
    _keep_answers(request, {pk: text[:LONGEST] for pk, text in texts.items()})


def untick(request: HttpRequest) -> None:
    """Let go of ticks whose comments are being decided on."""
    request.session.pop(TICKED, None)


def forget_answer(request: HttpRequest, pk: int) -> None:
    """Let go of an answer that is posted."""
    _keep_answers(request, {str(pk): ""})


def put_back(request: HttpRequest, rows: list[Row]) -> None:
    """Put ticks and answers back where they were begun. Ticks wait for one page, answers until posted."""
    ticked = request.session.pop(TICKED, [])
    for row in rows:
        row.is_ticked = str(row.comment.pk) in ticked
        put_answer_back(request, row)


def put_answer_back(request: HttpRequest, row: Row) -> None:
    row.answer = request.session.get(ANSWERS, {}).get(str(row.comment.pk), "")


def _keep_answers(request: HttpRequest, sent: dict[str, str]) -> None:
    before = request.session.get(ANSWERS, {})
    others = {pk: text for pk, text in before.items() if pk not in sent}
    begun = {pk: text for pk, text in sent.items() if text.strip() and re.fullmatch(ID, pk)}
    kept = dict([*others.items(), *begun.items()][-ANSWERS_KEPT:])
    if kept != before:
        request.session[ANSWERS] = kept
