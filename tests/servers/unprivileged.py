"""What the real servers of the tests share: they run as a user that is not root, on a free port of 127.0.0.1."""
import os
import pwd
import socket


def words_as(name):
    """The words before a command that make it run as this user; none where we are not root, None where there is no such user."""
    if os.geteuid() != 0:
        return []
    try:
        user = pwd.getpwnam(name)
    except KeyError:
        return None
    return ["setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"]


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]
