"""Conversations in memcached's text and meta protocols, step by step: what test_memcached.py says to Martlet and to memcached 1.6.18,
comparing the replies byte for byte. Versions are each server's own, and not compared.
"""

KEY = b"k" * 250
LONG = b"k" * 251
SMALL = b"set k 5 0 2\r\nab\r\n"

#: Where Martlet answers otherwise than memcached 1.6.18 on purpose: the steps, with the reason. They are in no conversation below; each is
#: asked for Martlet's own reply.
DIFFERENCES = [
    ("The stream stays in step after a block that ends elsewhere: memcached takes the rest for a command",
     b"set k 0 0 2\r\nabcdef\r\n", b"CLIENT_ERROR bad data chunk\r\n"),
    ("the same", b"set k 0 0 2\r\nab\n", b"CLIENT_ERROR bad data chunk\r\n"),
    ("the same", b"ms k 2 T0\r\nabc\r\n", b"CLIENT_ERROR bad data chunk\r\n"),
    ("A wrong line takes its block with it: memcached takes the block for commands, which who can choose a key can choose",
     b"set " + LONG + b" 0 0 9\r\nflush_all\r\n", b"CLIENT_ERROR bad command line format\r\n"),
    ("the same", b"set k -1 0 9\r\nflush_all\r\n", b"CLIENT_ERROR bad command line format\r\n"),
    ("the same", b"cas k 0 0 9 x\r\nflush_all\r\n", b"CLIENT_ERROR bad command line format\r\n"),
    ("the same", b"ms " + LONG + b" 9\r\nflush_all\r\n", b"CLIENT_ERROR bad command line format\r\n"),
    ("Numbers beyond 32 bits are refused, where memcached stores what is left of them",
     b"set k 4294967296 0 2\r\nab\r\n", b"CLIENT_ERROR bad command line format\r\n"),
    ("the same", b"set k 0 0 99999999999\r\n", b"CLIENT_ERROR bad command line format\r\n"),
    ("No padding after `decr`", b"set n 0 0 2\r\n10\r\ndecr n 1\r\nget n\r\n", b"STORED\r\n9\r\nVALUE n 0 1\r\n9\r\nEND\r\n"),
    ("A number with zeros in front is written without them, where memcached pads", b"set n 0 0 3\r\n007\r\nincr n 1\r\nget n\r\n",
     b"STORED\r\n8\r\nVALUE n 0 1\r\n8\r\nEND\r\n"),
    ("Values may be larger", b"set l 0 0 1100000\r\n" + b"x" * 1_100_000 + b"\r\n", b"STORED\r\n"),
    ("What is vivified is a lease and no entry: a miss for `get`", b"mg viv N30 v\r\nget viv\r\n", b"VA 0 W\r\n\r\nEND\r\n"),
    ("and for `mg` without `N`", b"mg viv N30\r\nmg viv v\r\n", b"HD W\r\nEN\r\n"),
    ("Stale values are there for `mg` and `md` alone", SMALL + b"md k I\r\nget k\r\nmg k v\r\n", b"STORED\r\nHD\r\nEND\r\nVA 2 X W\r\nab\r\n"),
    ("and are not appended to, counted or replaced", SMALL + b"md k I\r\nappend k 0 0 1\r\nx\r\nincr k 1\r\nreplace k 0 0 1\r\nx\r\ntouch k 0\r\n",
     b"STORED\r\nHD\r\nNOT_STORED\r\nNOT_FOUND\r\nNOT_STORED\r\nNOT_FOUND\r\n"),
    ("It is not kept that a key came as base64", b"ms a2V5 2 b\r\nab\r\nmg key k\r\n", b"HD\r\nHD kkey\r\n"),
    ("Base64 is read strictly", b"mg a2V= b k\r\n", b"CLIENT_ERROR error decoding key\r\n"),
    ("The binary protocol is not spoken", b"\x80\x0b" + b"\0" * 22, b"CLIENT_ERROR the binary protocol is not spoken here\r\n"),
    ("A line without an end is told before the connection is closed", b"x" * 3000, b"CLIENT_ERROR line too long\r\n"),
    ("No slabs, no LRU lists, no crawler but for `metadump`, no watchers, no memory limit to be set, no shutdown", b"slabs automove 1\r\nlru mode flat\r\n"
     b"lru_crawler enable\r\nwatch\r\ncache_memlimit 64\r\nshutdown\r\n", b"ERROR\r\n" * 6),
    ("Not in protocol.txt", b"bget k\r\n", b"ERROR\r\n"),
]

# Differences that no fixed reply shows:
# - `l` and `la` tell the time since the value was written, since no entry pays for a time of access; `h` and `fetch` tell of uses that
#   eviction still remembers (a bit per entry that is there anyway).
# - `size` of `me` is that of key and value.
# - A winner (`W`) of `R` or of a stale value has 30 s, of `N` the time it says, at most 300 s; then another may win. In memcached one who dies
#   blocks the others until the item goes.
# - In `lru_crawler metadump`, `la` is when the item was written, `fetch` is `no`, `size` that of key and value; there is one class.
# - `c` of a vivified key is its lease: `ms` with `C` of it is refused once the lease is over.
# - Expiry is exact to the millisecond, where memcached counts whole seconds.
# - `flush_all` empties the database of HTTP and memcached clients; those that Redis clients SELECT stay.
# - `stats` leaves out what is not here (slabs, LRU lists, hash table); there is one class of items.
# - The noreply of a line that cannot be read, and keys with bytes below 0x20 other than blanks, may be told otherwise.

CONVERSATIONS = {
    "retrieval": [
        b"get a\r\n", SMALL, b"get k\r\n", b"get k\n", b"  get   k  \r\n", b"gets k\r\n", b"get a k b\r\n", b"gets a k b k\r\n", b"get\r\n", b"get \r\n", b"gets\r\n", b"GET k\r\n",
        b"get " + b"k a " * 40 + b"\r\n", b"get " + LONG + b"\r\n", b"get k " + LONG + b" k\r\n", b"get " + b"k " * 40 + LONG + b"\r\n", b"set " + KEY + b" 0 0 1\r\n1\r\nget " + KEY + b"\r\n",
        b"gat 0 k\r\n", b"gats 100 k nope\r\n", b"gat x k\r\n", b"gat k\r\n", b"gat 0\r\n", b"gat\r\n", b"gat 1 " + LONG + b"\r\n", b"gat -1 k\r\nget k\r\n", b"get k\tx\r\n", b"get k\r\r\n",
        b"get " + b"key%d " * 5000 + b"\r\n", b"set e 0 0 0\r\n\r\nget e\r\n", b"set bin 0 0 6\r\n\0\r\n\xff\n\r\r\nget bin\r\n", b"set l 9 0 100000\r\n" + b"v" * 100_000 + b"\r\nget k l k\r\ngets l\r\nmg l v f s k\r\nmg l\r\n",
    ],
    "storage": [
        b"add k 0 0 1\r\n1\r\n", b"add k 0 0 1\r\n2\r\n", b"replace k 1 0 1\r\n3\r\n", b"replace n 0 0 1\r\n1\r\n", b"append k 9 0 1\r\nx\r\n", b"prepend k 9 0 1\r\ny\r\n", b"append n 0 0 1\r\nx\r\n", b"prepend n 0 0 1\r\nx\r\n",
        b"get k n\r\n", b"cas k 0 0 1 99\r\n1\r\n", b"cas nope 0 0 1 99\r\n1\r\n", b"cas k 0 0 1\r\n", b"set\r\n", b"set k 0 0\r\n", b"set k 0 0 a\r\n", b"set k 0 0 -1\r\n", b"set k 0 0 2147483647\r\n",
        b"set k 4294967295 0 2\r\nab\r\nget k\r\n", b"set k +1 0 +2\r\nab\r\nget k\r\n", b"set k 0 0 2 noreply\r\ncd\r\nget k\r\n", b"set k 0 0 2 nope\r\nef\r\nget k\r\n", b"set k 0 0 2\nab\r\n", b"add k 0 0 1 noreply\r\nx\r\nget k\r\n",
        b"append k 0 0 1 noreply\r\nx\r\ncas k 0 0 1 1 noreply\r\nx\r\nget k\r\n", b"set k 0 -1 1\r\nx\r\nget k\r\n", b"set k 0 100 1\r\nx\r\nmg k t v\r\n", b"set k 0 2592000 1\r\nx\r\nmg k t\r\n", b"set k 0 2592001 1\r\nx\r\nget k\r\n",
        b"set k 0 1500000000 1\r\nx\r\nget k\r\n", b"set k 0 2000000000 1\r\nx\r\nget k\r\n", b"append k 0 0\r\n", b"prepend\r\n", b"set k 7 100 1\r\n1\r\nappend k 3 5 1\r\n2\r\nmg k v f t\r\n",
    ],
    "changes": [
        b"incr k 1\r\n", b"set k 0 0 2\r\nab\r\nincr k 1\r\n", b"set k 5 0 1\r\n1\r\nincr k 9\r\nget k\r\n", b"decr k 100\r\n", b"incr k x\r\n", b"incr k -1\r\n", b"incr k 18446744073709551616\r\n", b"incr k\r\n", b"incr k 1 2 3\r\n",
        b"set k 0 0 1\r\n0\r\nincr k 18446744073709551615\r\nincr k 1\r\n", b"set k 0 0 21\r\n184467440737095516150\r\nincr k 1\r\n", b"set k 0 0 2\r\n 1\r\nincr k 1\r\n", b"set k 0 0 2\r\n1 \r\nincr k 1\r\n", b"set k 0 0 0\r\n\r\nincr k 1\r\n",
        b"set k 0 0 2\r\n-1\r\nincr k 1\r\n", b"set k 0 0 2\r\n+1\r\nincr k 1\r\n", b"set k 0 0 1\r\n5\r\nincr k 1 noreply\r\ndecr k 3 noreply\r\nget k\r\n", b"decr nope 1\r\n", b"incr nope 1 noreply\r\n", b"set k 3 100 2\r\n15\r\nincr k 1\r\nmg k v f t\r\n",
        b"touch k 0\r\n", b"touch k 100\r\nmg k t\r\n", b"touch k x\r\n", b"touch k\r\n", b"touch nope 0\r\n", b"touch k 0 noreply\r\nmg k t\r\n", b"touch k 1 2\r\n", b"touch k -1\r\nget k\r\n", b"touch nope 0 noreply\r\n",
        SMALL, b"delete k\r\n", b"delete k 0\r\n", SMALL, b"delete k 0 noreply\r\n", b"delete k 1\r\n", b"delete k noreply\r\n", b"delete k 1 2 3\r\n", b"delete\r\n", b"delete " + LONG + b"\r\n", SMALL + b"delete k 0\r\nget k\r\n",
    ],
    "server": [
        b"\r\n", b" \r\n", b"x\r\n", b"xyz k\r\n", b"version\r\n", b"version x\r\n", b"verbosity\r\n", b"verbosity 1\r\n", b"verbosity x\r\n", b"verbosity 1 noreply\r\n", b"verbosity 1 2 3\r\n", SMALL, b"flush_all\r\nget k\r\n",
        b"flush_all 0\r\n", b"flush_all noreply\r\n", b"flush_all 0 noreply\r\n", b"flush_all x\r\n", b"flush_all -1\r\n", b"flush_all 1 2 3\r\n", b"flush_all 100\r\n", b"flush_all\r\n", b"get / HTTP/1.1\r\n", b"Host: x\r\n", b"stats reset\r\n", b"stats foo\r\n", b"stats sizes\r\n",
        b"mn\r\n", b"mn x\r\n", b"mx k\r\n", b"mgg k\r\n", b"m k\r\n", b"misbehave\r\n",
    ],
    "mg": [
        b"mg\r\n", b"mg k\r\n", b"mg k v\r\n", SMALL, b"mg k\r\n", b"mg k s v\r\n", b"mg k k v c t f s\r\n", b"mg k h\r\n", b"mg k h u l\r\n", b"mg nope k O1 q\r\n", b"mg nope k O1\r\n", b"mg nope O1 k v\r\n", b"mg k v v\r\n", b"mg k z\r\n",
        b"mg k E5\r\n", b"mg k S2\r\n", b"mg k P L Pfoo\r\n", b"mg k Pfoo Lbar v\r\n", b"mg k O" + b"x" * 31 + b"\r\n", b"mg k O" + b"x" * 32 + b"\r\n", b"mg k Tx\r\n", b"mg k T\r\n", b"mg k N\r\n", b"mg k \x80\r\n", b"mg " + LONG + b" v\r\n", b"mg k v h" + b" t" * 30 + b"\r\n",
        b"mg k T200 t\r\n", b"mg k t\r\n", b"mg k T0 t v\r\n", b"mg k q v\r\n", b"mg k q\r\n", b"mg k k q\r\n", b"mg  k  v \r\n", b"mg k v k O\r\n", b"mg k D2 J4 MI I C4 F5 v\r\n", b"ms a2V5 2 F5 T100 k O9 b c\r\nab\r\n", b"mg a2V5 b k v f t\r\n", b"mg a2V5 b v\r\n", b"mg a2V5 k b\r\n",
        b"mg a2V b k\r\n", b"mg !!! b k\r\n", b"mg bm9wZQ== b k O1\r\n", b"mg k T-1\r\nmg k\r\n", b"set f 0 0 1\r\n1\r\nmg f h\r\nmg f h\r\n", b"set g 0 0 1\r\n1\r\nmg g u h\r\nmg g h u\r\n",
    ],
    "leases": [
        b"mg viv N30 v t\r\n", b"mg viv N30 v t k O1\r\n", b"mg viv N30 s f\r\n", b"ms viv 2\r\nab\r\n", b"mg viv N30 v t\r\n", b"mg new N30 q v\r\n", b"mg new N30 q v\r\n", b"ms new 1 q\r\nx\r\nmg new v\r\n",
        b"ms r 2 T100\r\nab\r\n", b"mg r R30 t v\r\n", b"mg r R300 t v\r\n", b"mg r R300 t v\r\n", b"mg r t v\r\n", b"mg r R300 k O5\r\n", b"get r\r\n", b"mg r T200 t\r\n", b"mg r t\r\n", b"ms r 2 T100\r\nab\r\n", b"mg r R300 t\r\n", b"ms r 1\r\nx\r\nmg r R300 v\r\n",
        b"ms s 2 T100\r\nab\r\nmd s I\r\n", b"mg s t v c\r\n", b"mg s t v\r\n", b"mg s k O3 v\r\n", b"md s I T30\r\n", b"mg s t v s\r\n", b"md s I T30 q k O1\r\n", b"mg s t\r\n", b"ms s 3\r\nnew\r\nmg s v\r\n", b"md s I\r\nmd s I\r\nmg s v\r\nmd s I\r\nmg s v\r\nmg s v\r\n", b"md s\r\n", b"md s\r\n",
        b"ms m 2\r\nab\r\nms m 2 I C1\r\nzz\r\n", b"mg m v\r\n", b"mg m v\r\n", b"ms u 1\r\nx\r\nmd u I\r\nmg u t v\r\n", b"mg nope R30 v\r\n", b"mg gone N-1\r\n", b"mg gone v\r\n",
    ],
    "ms": [
        b"ms k 2\r\nab\r\n", b"ms k 2 c\r\nab\r\nmg k c\r\n", b"ms k S2\r\n", b"ms k\r\n", b"ms k x\r\n", b"ms k -1\r\n", b"ms k 2 F5 T100 k O9 b\r\nab\r\n", b"ms m 2 ME\r\nab\r\n", b"ms m 2 ME\r\nab\r\n", b"ms m 2 MA\r\nab\r\n", b"ms m 2 MP\r\nxx\r\n", b"mg m v\r\n",
        b"ms m 2 MR\r\nzz\r\n", b"ms nn 2 MR\r\nzz\r\n", b"ms nn 2 MA\r\nzz\r\n", b"ms m 2 MX\r\nzz\r\n", b"ms m 2 Mset\r\nzz\r\n", b"ms m 2 M\r\nzz\r\n", b"ms m 2 me\r\nzz\r\n", b"ms m 2 Me\r\nzz\r\n", b"ms m 2 MS\r\nzz\r\n", b"ms nn 2 MA N30\r\nzz\r\nmg nn v t\r\n",
        b"ms m 2 C1\r\nzz\r\n", b"ms nope 2 C1\r\nzz\r\n", b"ms nope 2 C1 q k O2 c\r\nzz\r\n", b"ms m 2 Cx\r\nzz\r\n", b"ms m 2 z\r\nzz\r\n", b"ms m 2 q\r\nzz\r\n", b"ms m 2 q k O1 c\r\nzz\r\n", b"ms m 2 s k f t v\r\nab\r\n", b"ms m 2 b\r\nab\r\n", b"ms m 2 F-1\r\nab\r\n", b"ms m 2 Tx\r\nab\r\n",
        b"ms m 2 T-1\r\nab\r\nmg m v\r\n", b"ms z 0 T0\r\n\r\nmg z v s\r\n", b"ms z 2 O k\r\nab\r\n", b"ms z 2 MA F5 T100\r\nab\r\nmg z v f t\r\n", b"ms y 2 F7 T100\r\nab\r\nmg y f t\r\nms y 2\r\nab\r\nmg y f t\r\n",
    ],
    "md": [
        b"md\r\n", b"md nope\r\n", SMALL, b"md k C1\r\n", b"md k C1 q k\r\n", b"md " + LONG + b"\r\n", b"md k x\r\n", b"md nope I\r\n", b"md k I C1\r\n", b"md k q\r\n", b"md k q\r\n", b"md k k O1 b\r\n", b"md k k O1\r\n", b"ms a2V5 2 b\r\nab\r\nmd a2V5 b k O77\r\nmg a2V5 b\r\n", SMALL + b"md k O77 k q\r\n",
    ],
    "ma": [
        b"ma c\r\n", b"ma c N30 v t\r\n", b"ma c N30 J13 v t\r\n", b"ma c v\r\n", b"ma c D5 v t\r\n", b"ma c MD D2 v\r\n", b"ma c M- D200 v\r\n", b"ma c M+ v\r\n", b"ma c MI v\r\n", b"ma c MX v\r\n", b"ma c Mincr v\r\n", b"ma c mi v\r\n", b"ma c Mi v\r\n", b"ma c q\r\n", b"ma c q v\r\n", b"ma nope q\r\n",
        b"ma nope q k O1\r\n", b"ma c Dx\r\n", b"ma c C5 v\r\n", b"ma c T300 t\r\n", b"ma c k O1 b\r\n", b"ma c k O1 c\r\nmg c c\r\n", SMALL + b"ma k\r\n", b"ma c D-1\r\n", b"ma jj N0 J10 D5 v t\r\n", b"ma jj2 N0 q\r\n", b"ma jj2 J5\r\n", b"ma " + LONG + b"\r\n", b"ma\r\n",
    ],
    "me": [b"me nope\r\n", b"me\r\n", b"me " + LONG + b"\r\n"],
}

#: Whole exchanges, each on a connection of its own that the server ends.
RAW = [b"quit\r\n", b"quit x\r\nget a\r\n", b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"POST / HTTP/1.1\r\n", b"foo HTTP/\r\n", b"get a\r\nquit\r\n"]
