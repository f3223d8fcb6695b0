"""RESP over real sockets: a plain client that keeps every reply as the bytes it came in."""

import shlex

from wire import Wire


class Resp(Wire):
    def reply(self):
        """The next reply as it came; b"" at the end of the stream."""
        line = self.file.readline()
        kind, rest = line[:1], line[1:-2]
        if kind in b"$=" and line and int(rest) >= 0:
            return line + self.file.read(int(rest) + 2)
        if kind in b"*~>" and line and int(rest) > 0:
            return line + b"".join(self.reply() for _ in range(int(rest)))
        if kind == b"%" and line:
            return line + b"".join(self.reply() for _ in range(2 * int(rest)))
        return line

    def ask(self, *words):
        """One command, its reply. A single string is split as a shell would."""
        if len(words) == 1 and isinstance(words[0], str):
            words = shlex.split(words[0])
        self.send(request(*words))
        return self.reply()


def request(*words):
    words = [word if isinstance(word, bytes) else str(word).encode() for word in words]
    return b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(word), word) for word in words)
