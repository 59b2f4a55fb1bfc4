"""How often one sender may do what costs the site or other people something.

Who a sender is, `newsite.origin` says: an address of IPv4 is one, and of IPv6 the networks
that providers give. Every attempt is a row for each of these, which all processes share.
"""

import math
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils import timezone

from newsite.models import Attempt
from newsite.origin import Network, sender_hash, sender_networks


@dataclass(frozen=True)
class Limit:
    """So many attempts a sender has within a time, for one purpose. Wider networks have more.

    A sender is an address, or an account wherever it is signed in. Whose address is unknown
    is never kept waiting: then all would be one sender. Two requests at the same moment may
    both take the last attempt.

        QUESTIONS = Limit("comments.questions", attempts=5, interval=timedelta(hours=1))
        if seconds := QUESTIONS.take(comment.ip_address):
            ...  # nothing was counted: there may be one more after so many seconds
    """

    # Names what is counted: attempts for one purpose never count for another.
    purpose: str
    attempts: int
    # At most ATTEMPTS_KEPT.
    interval: timedelta

    def take(self, address: str | None, account: int | None = None) -> int:
        """Count an attempt and return 0, or count nothing and return how many seconds to wait.

        It takes two queries, whatever has been counted.
        """
        seconds = self.seconds_left(address, account)
        if not seconds:
            self.count(address, account)
        return seconds

    def seconds_left(self, address: str | None, account: int | None = None) -> int:
        """Return how many seconds a sender has to wait before the next attempt, 0 for no time."""
        allowed = self._allowed(address, account)
        if not allowed or not self.interval:
            return 0
        now = timezone.now()
        recent = Attempt.objects.filter(sender__in=allowed, at__gt=now - self.interval).order_by("-at")
        times: dict[str, list[datetime]] = {sender: [] for sender in allowed}
        for sender, at in recent.values_list("sender", "at")[: sum(allowed.values())]:
            times[sender].append(at)
        full = [times[sender][most - 1] for sender, most in allowed.items() if len(times[sender]) >= most]
        return max((math.ceil((at + self.interval - now).total_seconds()) for at in full), default=0)

    def count(self, address: str | None, account: int | None = None) -> None:
        """Count an attempt, however many there have been."""
        now = timezone.now()
        senders = self._allowed(address, account) if self.interval else {}
        Attempt.objects.bulk_create(Attempt(sender=sender, at=now) for sender in senders)

    def _allowed(self, address: str | None, account: int | None) -> dict[str, int]:
        """Return how many attempts there are for what a sender is taken for, by its hash."""
        networks = sender_networks(address) if account is None else [Network(f"account {account}", 1)]
        return {
            sender_hash(network.text, self.purpose): self.attempts * network.factor for network in networks
        }
