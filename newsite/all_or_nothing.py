"""All that one request writes is saved together, its session included, or nothing of it is."""

from collections.abc import Callable
from contextlib import ExitStack
from contextvars import ContextVar

from django.db import DEFAULT_DB_ALIAS, transaction
from django.http import HttpRequest, HttpResponse


class Whole:
    """What belongs to one request: its transaction, once it has begun, and what to undo if it fails."""

    def __init__(self) -> None:
        self.stack = ExitStack()
        self.has_begun = False
        self.to_undo: list[Callable[[], object]] = []

    def begin(self) -> None:
        if not self.has_begun:
            self.stack.enter_context(transaction.atomic())
            self.has_begun = True


_current: ContextVar[Whole | None] = ContextVar("whole", default=None)


class AllOrNothing:
    """Middleware, outside of that for sessions, which are saved after the view.

    A view that does something slow before it writes, with a service elsewhere or a password, says
    `transaction.non_atomic_requests`: nobody else could write meanwhile. It calls `begin()` itself,
    or has one transaction of its own and writes nothing besides.
    """

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        whole = Whole()
        token = _current.set(whole)
        try:
            with whole.stack:
                response = self.get_response(request)
                if whole.has_begun:
                    self._require_saved(response)
        except Exception:
            self._undo(whole)
            raise
        finally:
            _current.reset(token)
        if response.status_code >= 500:
            self._undo(whole)
            # Nor does the browser keep anything: no message of what was not done, no end of a session.
            response.cookies.clear()
        return response

    def process_view(self, request: HttpRequest, view, args, kwargs) -> None:
        if request.method != "POST" or DEFAULT_DB_ALIAS in getattr(view, "_non_atomic_requests", ()):
            return
        # Read to its end first: a slow sender keeps nobody from writing.
        len(request.POST)
        begin()

    def _require_saved(self, response: HttpResponse) -> None:
        """Take back what was written before an error, and let no answer claim what is not saved."""
        if response.status_code >= 500:
            transaction.set_rollback(True)
        elif transaction.get_rollback():
            raise transaction.TransactionManagementError(
                "A view has answered although its transaction was broken"
            ) from transaction.get_connection().rollback_exc

    def _undo(self, whole: Whole) -> None:
        for undo in whole.to_undo:
            undo()


def begin() -> None:
    """Let all that this request writes from here on be saved together, or not at all."""
    if whole := _current.get():
        whole.begin()


def undo_if_it_fails(undo: Callable[[], object]) -> None:
    """Say how to take back what a database does not: a file that was written."""
    if whole := _current.get():
        whole.to_undo.append(undo)
