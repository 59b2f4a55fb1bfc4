from comments.models.access_link import LINK_LASTS, AccessLink
from comments.models.comment import (
    IDENTIFIED,
    KEY_WIDTH,
    THREAD_KEY,
    Comment,
    CommentQuerySet,
    Firing,
    recount,
)
from comments.models.history import UNDO_LASTS, Change, ChangeQuerySet, Decision, Left, Outcome, Seen
from comments.models.housekeeping import Housekeeping, Timer
from comments.models.rendering import Rendering
from comments.models.report import NOBODY, Report, nobody
from comments.models.standing import Standing
from comments.models.states import ELSEWHERE, Rule

__all__ = [
    "AccessLink",
    "Change",
    "ChangeQuerySet",
    "Comment",
    "CommentQuerySet",
    "Decision",
    "ELSEWHERE",
    "Firing",
    "Housekeeping",
    "IDENTIFIED",
    "KEY_WIDTH",
    "LINK_LASTS",
    "Left",
    "NOBODY",
    "Outcome",
    "Rendering",
    "Report",
    "Rule",
    "Seen",
    "Standing",
    "THREAD_KEY",
    "Timer",
    "UNDO_LASTS",
    "nobody",
    "recount",
]
