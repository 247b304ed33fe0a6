"""A client program of a database that stays open: its transaction lasts until it says otherwise."""
import os
import subprocess

END = "the-end"


class ClientSession:
    """`words` start the client; `print_end` makes it print END on a line of its own."""

    def __init__(self, words, environment, print_end):
        self.print_end = print_end
        self.client = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                                       env={**os.environ, **environment})

    def sql(self, text):
        """Runs statements and waits for their end; gives what they print."""
        self.client.stdin.write(f"{text.rstrip(';')};\n{self.print_end}\n")
        self.client.stdin.flush()
        lines = []
        for line in self.client.stdout:
            if line.strip() == END:
                return "\n".join(lines)
            lines.append(line.rstrip("\n"))
        raise RuntimeError("the client ended: " + "\n".join(lines))

    def close(self):
        self.client.stdin.close()
        self.client.wait(30)
        self.client.stdout.close()
