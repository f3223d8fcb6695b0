"""memcached's protocols over real sockets: a plain client that keeps what it is answered as the bytes it came in."""

from wire import Wire


class Memcached(Wire):
    def line(self):
        """The next line, with its end; b"" at the end of the stream."""
        return self.file.readline()

    def ask(self, data):
        """All that comes for `data`: what the server says to a no-op behind it marks the end. b"" stands for the end of the stream."""
        self.send(data + b"mn\r\n")
        return self.until_mark()

    def until_mark(self):
        lines = []
        while (line := self.line()) != b"MN\r\n":
            lines.append(line)
            if not line:
                break
        return b"".join(lines)

    def set(self, key, value, flags=0, time=0):
        return self.ask(b"set %s %d %d %d\r\n%s\r\n" % (key, flags, time, len(value), value))

    def stats(self, topic=b""):
        lines = self.ask(b"stats %s\r\n" % topic).decode().splitlines()
        assert lines[-1] == "END", lines
        return dict(line.removeprefix("STAT ").split(" ", 1) for line in lines[:-1])
