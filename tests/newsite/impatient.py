"""What the workers of a real server load where a test waits for the end of somebody's patience."""

from newsite import server
from newsite.door import Door


def load_worker() -> Door:
    return server.load_worker(patience=0.2)
