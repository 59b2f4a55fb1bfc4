import signal
from threading import Event

from django.core.management.base import BaseCommand
from django.utils.translation import gettext as _

from comments import rendering
from comments.models import Comment, Rendering


class Command(BaseCommand):
    help = (
        "Render all comments anew, where an upgrade has changed what becomes of their text. "
        "It can be broken off, and run again, at any time, while the site runs."
    )

    def add_arguments(self, parser):
        parser.add_argument("--again", action="store_true", help="begin with the first comment in any case")

    def handle(self, *, again: bool, **options):
        state = Rendering.load()
        if again:
            state.begin()
        if not state.is_due:
            self.stdout.write(_("All comments are rendered as this version does it."))
            return
        stopped = Event()
        before = {
            end: signal.signal(end, lambda *_args: stopped.set()) for end in (signal.SIGTERM, signal.SIGINT)
        }
        try:
            self._render(stopped)
        finally:
            for end, handler in before.items():
                signal.signal(end, handler)

    def _render(self, stopped: Event) -> None:
        last = Comment.objects.order_by("-pk").values_list("pk", flat=True).first()
        changed = 0
        for reached, changed_now in rendering.run(stopped):
            changed += changed_now
            self.stdout.write(
                _("Comment %(reached)d of %(last)d: %(changed)d changed")
                % {"reached": reached, "last": last, "changed": changed}
            )
        if Rendering.load().is_due:
            self.stdout.write(_("Stopped before the end: the next time goes on."))
        else:
            self.stdout.write(_("All is done."))
