"""For the last administrator, who has lost the phone and the recovery codes, and after the loss of a backup."""

from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError

from staff import notices, second_factor


class Command(BaseCommand):
    help = "Remove the second factor of an account, or of all, so that a password alone lets in."

    def add_arguments(self, parser):
        whose = parser.add_mutually_exclusive_group(required=True)
        whose.add_argument("username", nargs="?")
        whose.add_argument("--all", action="store_true", dest="is_for_all", help="of every account")

    def handle(self, *, username: str | None, is_for_all: bool, **options):
        users = get_user_model().objects.order_by("username")
        if not is_for_all:
            users = users.filter(username=username)
            if not users:
                raise CommandError(f"There is no account “{username}”.")
        having = [user for user in users if second_factor.has_one(user)]
        if not having and not is_for_all:
            raise CommandError(f"“{username}” has no second factor.")
        for user in having:
            second_factor.remove(user)
            notices.tell(user, notices.Kind.FACTOR_REMOVED)
            self.stdout.write(f"“{user.username}” has no second factor any more.")
