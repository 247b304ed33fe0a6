#!/usr/bin/python3
"""An SFTP server that takes passwords (Debian's asyncssh): OpenSSH's own can do so only as root. For tests only, on 127.0.0.1.

  sftp_password.py FOLDER USER PASSWORD [--interactive]

Prints its port and the fingerprint of its host key; ends when its standard input is closed. --interactive: it asks for the
password by keyboard-interactive alone. Debian's package is made for the system's Python, so start it with /usr/bin/python3."""
import asyncio
import sys

import asyncssh


class Server(asyncssh.SSHServer):
    def begin_auth(self, username):
        return True

    def password_auth_supported(self):
        return "--interactive" not in sys.argv

    def validate_password(self, username, password):
        return [username, password] == sys.argv[2:4]

    def kbdint_auth_supported(self):
        return "--interactive" in sys.argv

    def get_kbdint_challenge(self, username, lang, submethods):
        return "", "", "en-US", [("Password:", False)]

    def validate_kbdint_response(self, username, responses):
        return [username, *responses] == sys.argv[2:4]


async def main():
    key = asyncssh.generate_private_key("ssh-ed25519")
    server = await asyncssh.listen("127.0.0.1", 0, server_factory=Server, server_host_keys=[key],
                                   sftp_factory=lambda chan: asyncssh.SFTPServer(chan, chroot=sys.argv[1]))
    print(server.sockets[0].getsockname()[1], key.get_fingerprint(), flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    server.close()


asyncio.run(main())
