"""From what a form sent to a saved comment: one flow, in one transaction."""

from django.db import transaction

from articles.models import Article
from comments import moderation
from comments.models import Comment
from comments.moderation import Refusal, Submission


class Refused(Exception):
    """A comment was not taken; says why, to the person who wrote it."""

    def __init__(self, refusal: Refusal):
        super().__init__(refusal.message)
        self.refusal = refusal


def post(submission: Submission) -> Comment:
    """Save a comment with its verdict, and return it.

    What has been sent twice is saved once: the second time returns the first comment.
    Raises `Refused` where a rule refuses it.
    """
    comment = submission.comment
    with transaction.atomic():
        # Two posts to a story wait for each other, or a double click would pass as two.
        Article.objects.select_for_update().get(pk=comment.article_id)
        if earlier := moderation.sent_before(comment):
            return earlier
        if refusal := moderation.refuse(submission):
            raise Refused(refusal)
        comment.status, comment.held_because = moderation.decide(submission)
        comment.save()
    return comment
