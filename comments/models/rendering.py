from django.db import models
from django.utils.translation import gettext_lazy as _

from comments.models.comment import Comment
from newsite.markup import COMMENT_EDITION


class Rendering(models.Model):
    """Which edition of the markup comments have the HTML of: one row.

    Up to the comment `reached` they have it, and all of them where that is None.
    """

    edition = models.PositiveIntegerField()
    reached = models.BigIntegerField(null=True)

    class Meta:
        verbose_name = _("rendering")
        verbose_name_plural = _("renderings")

    def __str__(self) -> str:
        return str(self.edition)

    @classmethod
    def load(cls) -> "Rendering":
        """Return the row. A site that has no comments yet begins with nothing to do."""
        row, _is_new = cls.objects.get_or_create(pk=1, defaults={"edition": _begins_with})
        return row

    @property
    def is_due(self) -> bool:
        return self.edition != COMMENT_EDITION or self.reached is not None

    def begin(self) -> None:
        """Begin with the first comment."""
        self.edition, self.reached = COMMENT_EDITION, 0
        self.save()

    def reach(self, pk: int | None) -> None:
        self.reached = pk
        self.save()


def _begins_with() -> int:
    return 0 if Comment.objects.exists() else COMMENT_EDITION
