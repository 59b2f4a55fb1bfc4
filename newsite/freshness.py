"""When a page may be reused, and when it may not: the only cache policy."""

import hashlib
from functools import wraps

from django.utils.cache import (
    add_never_cache_headers,
    get_conditional_response,
    patch_cache_control,
    patch_vary_headers,
)


def public_page(view):
    """Let anyone keep the page, and ask before each reuse whether it is still the same.

    The ETag is made from the page itself. So it changes with whatever changes the page,
    the clock included, and two processes with the same content agree on it. It is weak,
    since it stands for the compressed page as well.
    """

    @wraps(view)
    def fresh(request, *args, **kwargs):
        response = view(request, *args, **kwargs)
        if response.status_code != 200:
            add_never_cache_headers(response)
            return response
        patch_cache_control(response, public=True, no_cache=True)
        patch_vary_headers(response, ["Accept-Encoding"])
        etag = f'W/"{hashlib.blake2b(response.content, digest_size=16).hexdigest()}"'
        response["ETag"] = etag
        return get_conditional_response(request, etag=etag, response=response)

    return fresh


def private_page(view):
    """Let nobody keep what is meant for one person, and no search engine list it."""

    @wraps(view)
    def unkept(request, *args, **kwargs):
        response = view(request, *args, **kwargs)
        add_never_cache_headers(response)
        response["X-Robots-Tag"] = "noindex"
        return response

    return unkept
