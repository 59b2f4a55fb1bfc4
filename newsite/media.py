"""Uploaded pictures, where no web server in front of the site serves them."""

from wsgiref.headers import Headers

from whitenoise import WhiteNoise
from whitenoise.responders import StaticFile


class Media(WhiteNoise):
    """Serves, before the site is asked, the files of one folder as they are at that moment."""

    def __init__(self, site, root: str, prefix: str):
        super().__init__(site, root, prefix, autorefresh=True, max_age=24 * 60 * 60, allow_all_origins=False)
        self.add_headers_function = as_pictures

    def find_file(self, url: str) -> StaticFile | None:
        try:
            return super().find_file(url)
        except (OSError, ValueError):
            # No file can have such a name: it is too long, or has a null character.
            return None


def as_pictures(headers: Headers, path: str, url: str) -> None:
    headers["X-Content-Type-Options"] = "nosniff"
    headers["Content-Security-Policy"] = "default-src 'none'"
