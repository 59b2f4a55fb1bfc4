import signal

from django.core.checks import Tags
from django.core.management.base import BaseCommand

from newsite.chores import Chores

ENDS = {signal.SIGTERM, signal.SIGINT}


class Command(BaseCommand):
    help = (
        "Write and deliver mail, the daily digests too, and keep house: delete what is not kept for ever. "
        "For a site whose web processes do none of it (MAIL_WORKER=on). SIGTERM ends it."
    )

    # Whether the worker runs is not asked while it starts.
    requires_system_checks = [Tags.compatibility, Tags.files, Tags.security, Tags.translation]

    def handle(self, **options):
        # Blocked before the thread starts, or the signal might end it in the middle of a mail.
        signal.pthread_sigmask(signal.SIG_BLOCK, ENDS)
        chores = Chores()
        chores.start()
        signal.sigwait(ENDS)
        chores.stop()
