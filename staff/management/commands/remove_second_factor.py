"""For the last administrator, who has lost the phone and the recovery codes."""

from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError

from staff import notices, second_factor


class Command(BaseCommand):
    help = "Remove the second factor of an account, so that its password alone lets in."

    def add_arguments(self, parser):
        parser.add_argument("username")

    def handle(self, *, username: str, **options):
        user = get_user_model().objects.filter(username=username).first()
        if user is None:
            raise CommandError(f"There is no account “{username}”.")
        if not second_factor.has_one(user):
            raise CommandError(f"“{username}” has no second factor.")
        second_factor.remove(user)
        notices.tell(user, notices.Kind.FACTOR_REMOVED)
        self.stdout.write(f"“{username}” has no second factor any more.")
