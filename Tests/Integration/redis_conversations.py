"""Conversations in RESP, command by command: what test_resp.py says to Martlet, and where there is one to redis-server, comparing the
replies byte for byte.

A step is a string of words (quotes as in a shell) or a tuple of arguments. `ANY` in front: both must answer, and the first byte of the
reply must agree, since the rest is the server's own (a time, an order of keys).
"""

#: Where Martlet answers otherwise than Redis 7.0.15 on purpose, by command line, with the reason.
DIFFERENCES = {
    "incrbyfloat f 5.0e3": "sums are exact to 17 decimals, where Redis shows the noise of its long double",
    "command info set": "no notes on keys, no subcommands",
    "hello": "martlet_version stands beside the version",
    "command count": "the commands that there are",
    "command info client": "the subcommands that there are; their summaries are ours",
    "client setinfo, client no-touch": "of Redis 7.2, as clients of today send them",
    "client tracking on": "tracking is not offered",
    "acl setuser, load, save": "one user, whose password is the token given at start",
    "bgsave, save": "entries live in memory only: an error that says so",
    "wait 1 0": "answered at once: there are no replicas, and there will be none",
    "swapdb 0 1": "refused: HTTP and memcached live in database 0, too",
    "lastsave": "when the server started",
    "latency histogram": "empty: latency is kept for all commands together, in /metrics",
    "module load": "an error in other words",
    "debug": "allowed by --enable-debug, and then a few subcommands for tests of clients",
    "help": "our own words",
    "config set": "most settings are fixed at start; notify-keyspace-events takes nothing but ''",
    "config get client-output-buffer-limit": "by default a share of --memory, at most Redis's",
    "unsubscribe": "without names, in the order of subscribing",
    "a NUL in an inline command or a length": "answered as other bytes are; Redis waits for a line that it does not see",
    "client reply off, exec": "the head of the array stays, if a message stands in it",
    "publish": "to other connections, after the commands of the same read",
    "object refcount": "1, where Redis shares small integers",
    "object freq": "how often it was used of late, 0 to 3, whatever the policy; Redis tells it with an LFU policy alone",
    "object idletime": "seconds since it was written, as reads leave no time; Redis refuses it with an LFU policy",
    "object help, memory help": "what they say here",
    "json.*": "paths name one place; documents keep their spelling; replies are those of RESP2 in RESP3 too; a value that is no JSON is of the wrong type",
    "dump": "never compressed, which RESTORE does not mind",
    "martlet.*": "Martlet's own",
    "mget, exec, keys, scan": "a reply has a bound (256 MiB, or what the store holds if that is less), beyond which it is an error",
    "set, with a key of more than 64 KiB": "an error, within MULTI too",
    "lcs": "its table is bounded by the largest value",
    "*2000000": "arrays are bounded at 1024 * 1024, as in Redis before 7.0",
}

LARGE = "x" * 70_000

CONVERSATIONS = {
    "strings": [
        "get a", "set a 1", "get a", "set a 2 nx", "set b 2 xx", "set a 3 get", "set zz 3 get nx", "get zz", "set a 3 xx get", "set a", "set a 1 bad",
        "set a 1 ex", "set a 1 ex 0", "set a 1 ex -1", "set a 1 ex x", "set a 1 px 9223372036854775807", "set a 1 ex 9223372036854775807",
        "set a 1 nx xx", "set a 1 ex 10 px 10", "set a 1 keepttl ex 10", "set a 1 ex 100", "ttl a", "set a 2 keepttl", "ttl a", "set a 3", "ttl a",
        "set a 1 exat 1", "get a", "set a 1 exat 33177117420", "ttl b", "set a 1 pxat 33177117420000", "expiretime a", "pexpiretime a",
        "setnx a 1", "setnx n1 1", "setex a 10 v", "ttl a", "setex a 0 v", "setex a x v", "psetex a 0 v", "psetex a 100000 v", "getset a new", "getset nope new",
        "getdel a", "getdel a", "mset a 1 b 2 c 3", "mget a b c d a", "mset a", "mset a 1 b", "msetnx d 1 a 1", "msetnx d 1 e 1", "msetnx d 1 f", "mget d e",
        "append ap x", "append ap yz", "get ap", "strlen ap", "strlen nope", "getrange ap 0 1", "getrange ap -2 -1", "getrange ap 5 9", "getrange ap 2 1",
        "getrange ap -1 -2", "getrange ap 0 x", "substr ap 0 -1", "getrange nope 0 -1", "getrange ap -100 100", "setrange ap 1 QQ", "get ap", "setrange sr 5 x", "get sr",
        "setrange sr -1 x", "setrange sr 99999999999 x", "setrange nope2 0 ''", "exists nope2", "setrange ap 0 ''", "getex ap", "getex ap ex 100", "ttl ap", "getex ap persist",
        "ttl ap", "getex ap ex 0", "getex ap bad", "getex ap ex 10 persist", "getex nope ex 10", ("set", "large", LARGE), "strlen large", "get large",
        "getrange large 1 69998", "mget a large b large", "getex large", "set large x get", "get", "get a b", "nosuch a b", "nosuch", "set '' empty", "get ''",
        ("set", "bin", b"\x00\r\n\xff"), "get bin", "GeT bin", "strlen bin",
    ],
    "numbers": [
        "incr i", "incr i", "incrby i 10", "decr i", "decrby i 5", "get i", "incrby i x", "incrby i 1.5", "set s abc", "incr s", "set s 9223372036854775807", "incr s", "incrby s 1",
        "decrby s -1", "decrby s -9223372036854775808", "set s -9223372036854775808", "decr s", "set s ' 1'", "incr s", "set s 01", "incr s", "set s 1", "expire s 100", "incr s",
        "ttl s", "incrbyfloat f 10.5", "incrbyfloat f 0.1", "incrbyfloat f -5", "incrbyfloat f2 5.0e3", "incrbyfloat f abc", "incrbyfloat f ' 1'", "incrbyfloat f inf", "incrbyfloat f nan",
        "set s abc", "incrbyfloat s 1", "incrbyfloat s abc", "incrbyfloat n 3.0", "get n", "incrbyfloat n 200", "incrbyfloat n 0.00000000000000001", "incrbyfloat n -203.00000000000000001",
    ],
    "bits": [
        "setbit b 7 1", "get b", "getbit b 7", "getbit b 0", "getbit b 100", "setbit b 7 0", "setbit b 7 2", "setbit b -1 1", "setbit b x 1", "getbit b -1", "getbit nope 1", "set k foobar",
        "bitcount k", "bitcount k 0 0", "bitcount k 1 1", "bitcount k 0 -1", "bitcount k -2 -1", "bitcount k 5 30 bit", "bitcount k 1 1 byte", "bitcount k 0", "bitcount k 0 1 x", "bitcount nope",
        "bitcount nope 0 1", "setbit k 100 1", "strlen k", "bitcount k 0 x",
        ("set", "p", b"\x00\xff\xf0"), "bitpos p 1", "bitpos p 0", "bitpos p 1 0", "bitpos p 1 2", "bitpos p 0 1", "bitpos p 0 1 1", "bitpos p 1 0 0", "bitpos p 1 -1 -1", "bitpos p 1 9 15 bit", "bitpos p 0 9 15 bit",
        "bitpos p 1 0 -1 bit", "bitpos p 0 8 -1 bit", "bitpos p 0 8 15 bit", "bitpos p 1 2 1", "bitpos p 1 100", "bitpos p 2", "bitpos p x", "bitpos p 1 x", "bitpos p 1 0 x", "bitpos p 1 0 1 nope", "bitpos p 1 0 1 bit 3", "bitpos p",
        "bitpos nope 1", "bitpos nope 0", "bitpos nope 0 x", ("set", "ones", b"\xff" * 20), "bitpos ones 0", "bitpos ones 0 0", "bitpos ones 0 0 -1", "bitpos ones 0 3 5", "bitpos ones 1 5", ("set", "zeros", b"\0" * 20), "bitpos zeros 1", "bitpos zeros 0 3",
        "set x foobar", "set y abcd", "bitop and d x y", "get d", "bitop or d x y", "get d", "bitop xor d x y", "get d", "bitop not d x", "get d", "bitop not d x y", "bitop and d x nope", "get d", "bitop and d nope x", "get d", "bitop or d nope x y nope",
        "get d", "bitop xor d y x x", "get d", "bitop and d nope nope2", "exists d", "bitop bad d x", "bitop and d", "set d 1 ex 100", "bitop or d x", "ttl d", "bitop xor x x x", "get x", "bitop not nn nope", "exists nn", "BITOP AND d x x x", "get d",
    ],
    "bitfields": [
        "bitfield b set u8 0 255", "bitfield b get u8 0 get i8 0 get u4 4 get u1 7", "bitfield b incrby u8 0 10", "bitfield b overflow sat incrby u8 0 300", "bitfield b overflow fail incrby u8 0 1 get u8 0", "bitfield b set i8 0 -128 incrby i8 0 -1 get i8 0",
        "bitfield b overflow sat set i8 8 200 set i8 8 -200 get i8 8", "bitfield b overflow wrap set i8 8 200 get i8 8", "bitfield b overflow fail set i8 8 200 get i8 8", "bitfield b set u8 #3 7 get u8 #3 get u8 24", "strlen b", "get b",
        "bitfield b set i64 0 -1 get i64 0 incrby i64 0 -9223372036854775808 get u63 0", "bitfield b overflow sat incrby i64 0 9223372036854775807 incrby i64 0 9223372036854775807", "bitfield b overflow fail incrby i64 0 1", "bitfield b set u63 1 9223372036854775807 get u63 1",
        "bitfield b incrby u5 100 1 incrby u5 101 40", "bitfield b set u8 0 -1 get u8 0", "bitfield b overflow sat set u8 0 -1 get u8 0", "bitfield b overflow fail set u8 0 -1", "bitfield b overflow sat incrby u8 0 -1000", "bitfield nope get u8 0 get i64 #5", "exists nope",
        "bitfield b", "bitfield b get u64 0", "bitfield b get u0 0", "bitfield b get i65 0", "bitfield b get x8 0", "bitfield b get 8 0", "bitfield b get u 0", "bitfield b get u8 -1", "bitfield b get u8 x", "bitfield b get u8 #x", "bitfield b get u8 #", "bitfield b set u8 0",
        "bitfield b set u8 0 x", "bitfield b nope u8 0", "bitfield b overflow nope", "bitfield b overflow", "bitfield b overflow sat", "bitfield b get u8", "bitfield_ro b get u8 0 get u8 4", "bitfield_ro b set u8 0 1", "bitfield_ro nope get u8 0", "bitfield_ro b overflow sat get u8 0", "bitfield_ro b",
        "bitfield f set u1 0 1 set u2 3 2 set i3 5 -4", "get f", "bitfield b incrby i5 #1 -17 incrby i5 #2 31", "set e 1 ex 100", "bitfield e set u8 8 65", "ttl e", "get e",
    ],
    "lcs": [
        "mset a ohmytext b mynewtext", "lcs a b", "lcs a b len", "lcs a b idx", "lcs a b idx minmatchlen 4", "lcs a b idx minmatchlen 4 withmatchlen", "lcs a b idx withmatchlen", "lcs a b withmatchlen", "lcs a b idx len", "lcs a b minmatchlen", "lcs a b minmatchlen x", "lcs a b bad",
        "lcs a", "lcs a nope", "lcs nope nope", "lcs nope nope len", "lcs nope b idx", "lcs a a", "lcs a a idx", "lcs a b idx minmatchlen -1", "mset c 'AGGTABQAYBP' d 'GQXTXAYBBP'", "lcs c d", "lcs c d idx withmatchlen", "lcs d c idx", "mset s xxxx t yyyy", "lcs s t", "lcs s t idx", "lcs s t len",
        "multi", "lcs a b", "lcs a b idx", "get a", "exec", "lcs a b", "mget a b",
    ],
    "objects": [
        "set n 123456", "object encoding n", "set e short", "object encoding e", ("set", "r", "x" * 45), "object encoding r", ("set", "r", "x" * 44), "object encoding r", "set z 007", "object encoding z", "set big 9223372036854775808", "object encoding big", "incr n", "object encoding n",
        "object encoding nope", "object refcount nope", "object refcount e", "object idletime e", "object idletime nope", "object encoding", "object encoding e e", "object bad e", "object", "object idletime", "object refcount", "memory usage nope", "ANY memory usage e", "ANY memory usage e samples 5",
        "memory usage e samples -1", "memory usage e samples x", "memory usage e bad 1", "memory usage e samples", "memory usage", "memory bad", "memory", "ANY object help", "ANY memory help", "object help x",
    ],
    "dumps": [
        "dump nope", "set a hello", "dump a", "set a 1", "dump a", "set a -128", "dump a", "set a 128", "dump a", "set a -32769", "dump a", "set a 2147483647", "dump a", "set a 2147483648", "dump a", "set a 01", "dump a", "set a ''", "dump a", "set a 12345678901", "dump a",
        ("set", "a", bytes(range(20))), "dump a", "dump", "dump a b",
        ("restore", "r", 0, b"\x00\xc0\x01\x0a\x00\xda\x09\x02"), ("restore", "r", 0, ""), ("restore", "r", 0, b"\x00\x01x\x0a\x00" + b"\0" * 8),
        ("restore", "r", 0, b"\x00\xc0{\x0a\x00\x9f\x64\x80\x45\xd7\x37\x8a\x9b"),
        ("restore", "r", -1, "x"), ("restore", "r", "x", "x"), ("restore", "r", 0, "x", "bad"), ("restore", "r", 0, "x", "idletime", -1), ("restore", "r", 0, "x", "idletime", "x"), ("restore", "r", 0, "x", "freq", 256), ("restore", "r", 0, "x", "freq", -1),
        ("restore", "r", 0, "x", "freq"), ("restore", "r", 0, "x", "freq", 1, "idletime", 1), ("restore", "a", 0, "x"), ("restore", "a", 0, "x", "replace"), ("restore", "a", "x", "x"), "restore a 0",
    ],
    "keys": [
        "del a", "mset a 1 b 2 c 3", "exists a", "exists a a b nope", "touch a nope b", "type a", "type nope", "unlink a nope", "del b c", "set a 1", "expire a 100", "ttl a", "ANY pttl a", "expire a 200 nx",
        "expire a 50 gt", "expire a 200 gt", "expire a 300 lt", "ttl a", "expire a 100 xx", "persist a", "persist a", "persist nope", "expire a 100 xx", "expire a 100 gt", "ttl a", "expire a 100 lt", "ttl a",
        "expire a 1 nx xx", "expire a 1 nx gt", "expire a 1 gt lt", "expire a 1 bad", "expire a x", "expire a 9223372036854775807", "expire nope 1", "expire a -1", "exists a", "set a 1", "pexpire a 100000",
        "expireat a 33177117420", "expiretime a", "pexpireat a 33177117420123", "pexpiretime a", "expireat a 1", "exists a", "expire nope x", "expiretime nope", "ttl nope", "set a 1", "expiretime a", "pexpiretime a",
        "pttl a", "rename nope b", "rename a a", "rename a b", "get b", "set a 1", "renamenx a b", "renamenx a c", "renamenx c c", "renamenx nope c", "set e 1 ex 100", "rename e e2", "ttl e2", "ttl e",
        "copy c d", "copy c d", "copy c d replace", "copy c c", "copy nope x", "copy c d db 99", "copy c d db x", "copy c d bad", "copy c c db 1", "select 1", "get c", "dbsize", "select 0", "copy e2 e3", "ttl e3",
        "move c 1", "move c 0", "move c 99", "move c x", "move d 2", "exists d", "select 2", "get d", "flushdb", "dbsize", "select 1", "flushdb", "select 0", "select 16", "select x", "select -1", "flushdb bad", "flushall bad",
        "set k1 1", "flushall", "dbsize", "randomkey", "scan 0", "set only 1", "randomkey", "keys *", "keys o?ly", "keys [n-p]nly", "keys [^o]nly", "keys o\\\\nly", "keys nope*", "scan 0 match on* count 100", "scan 0 type string",
        "scan 0 type hash", "scan 0 count 0", "scan 0 count x", "scan x", "scan 0 bad", "scan 0 match", "set h{a}[b] 1", "keys h{a}*", "flushall async", "flushall sync", "flushdb async", "del", "exists", "rename a",
    ],
    "connection": [
        "ping", "ping hello", "ping a b", "echo hi", "echo", "client getname", "client setname me", "client getname", "client setname 'a b'", "client bad", "client getname x", "ANY client id", "client no-evict on", "client no-evict bad",
        "client", "client reply bad", "ANY time", "command info get", "command info nosuch", "command info mset copy watch randomkey", "command getkeys set a 1", "command getkeys mset a 1 b 2", "command getkeys get", "command getkeys ping",
        "command getkeys nosuch a", "command bad", "command getkeys", "config get databases", "config get nosuch*", "config get", "config bad", "config set nosuch 1", "config resetstat", "auth x", "auth default x", "auth a b", "auth a b c",
        "hello 4", "hello x", "hello 2 bad", "reset", "ANY info server", "select 3", "reset", "quit",
    ],
    "clients": [
        "client id x", "client kill", "client kill 1.2.3.4:5", "client kill addr", "client kill addr 1.2.3.4:5", "client kill id", "client kill id x", "client kill id 0", "client kill id 999999", "client kill type bad",
        "client kill type replica", "client kill type master", "client kill type pubsub", "client kill user nosuch", "client kill user default skipme bad", "client kill skipme no id 99999", "client kill laddr 1:2", "client kill bad x",
        "client kill addr 1:2 laddr 1:3 type normal id 12345", "client no-evict", "client reply", "client pause", "client pause x", "client pause -1", "client pause 0", "client pause 0 bad", "client pause 0 write", "client pause 0 ALL",
        "client unpause", "client unpause x", "client list id", "client list id x", "client list id 0", "client list id 99999", "client list type bad", "client list type master", "client list type replica", "client list bad", "client list type",
        "client info x", "client setname", "client setname ''", "client tracking", "client tracking off", "client tracking bad", "client caching yes", "client getredir", "client trackinginfo", "client unblock 5", "client unblock x",
        "client unblock 5 bad", "client unblock 5 error", "client nosuch", "multi", "client nosuch", "exec", "multi", "client id x", "exec", "multi", "client getname", "exec",
    ],
    "administration": [
        "slowlog", "slowlog get x", "slowlog get -2", "slowlog get 1 2", "slowlog len x", "slowlog reset", "slowlog bad", "latency", "latency latest", "latency latest x", "latency history", "latency history x", "latency reset",
        "latency reset a b", "latency graph x", "latency graph", "latency histogram nosuch", "latency bad", "role", "role x", "lastsave x", "ANY lastsave", "wait", "wait x 0", "wait 0 x", "wait 0 -1", "wait 0 0", "wait 0 10", "wait -1 0",
        "lolwut", "lolwut x", "lolwut version x", "cluster", "cluster info", "cluster myid", "cluster slots", "cluster nodes", "cluster shards", "cluster keyslot a", "cluster bad", "cluster help", "readonly", "readwrite", "asking", "acl",
        "acl whoami", "acl whoami x", "acl list", "acl users", "acl cat", "acl cat nosuch", "acl getuser default", "acl getuser nosuch", "acl getuser", "acl log reset", "acl log", "acl log x", "acl dryrun default get a", "acl bad",
        "module", "module list", "module list x", "module bad", "bgsave x", "shutdown x", "shutdown nosave save", "shutdown abort", "debug", "memory", "ANY memory doctor", "memory malloc-stats x", "memory purge", "memory bad", "memory stats x",
        "ANY memory stats", "ANY memory malloc-stats", "ANY acl genpass", "ANY acl cat string", "ANY client help", "ANY slowlog help", "multi", "shutdown", "exec", "multi", "role", "acl whoami", "wait 1 0", "exec", "multi", "config x", "exec",
    ],
    "settings": [
        "config set maxmemory", "config set timeout x", "config set timeout 5 timeout 6", "config set timeout 0 nosuch 1", "config set databases 3", "config set slowlog-max-len x", "config set slowlog-log-slower-than x",
        "config set slowlog-max-len 100", "config get slowlog-max-len", "config set slowlog-max-len 128", "config set save ''", "config set client-output-buffer-limit 'pubsub 1mb'", "config set client-output-buffer-limit 'bad 1mb 1 1'",
        "config set client-output-buffer-limit 'pubsub x 1 1'", "config set appendonly no", "config set notify-keyspace-events ''", "config get notify-keyspace-events", "config rewrite", "config set", "config get",
    ],
    "swapping": [
        "swapdb", "swapdb 0 1 2", "swapdb 1 99", "swapdb x 1", "swapdb 1 x", "swapdb 0 0", "swapdb 3 3", "select 1", "set k one", "select 2", "set k two", "set only 2", "swapdb 1 2", "get k", "dbsize", "select 1", "get k", "dbsize", "move only 2", "copy k k2 db 2",
        "select 2", "get only", "get k2", "multi", "swapdb 1 2", "get k", "select 1", "get k", "set in1 x", "exec", "dbsize", "select 1", "watch k", "swapdb 1 2", "multi", "get k", "exec", "watch k", "multi", "get k", "exec", "flushdb", "swapdb 1 2", "dbsize", "select 2", "dbsize", "select 0",
    ],
    "the table of commands": [
        "command info client|kill client|list", "command info nosuch|x client|nosuch", "command info subscribe publish spublish ssubscribe", "command list filterby module x", "command list filterby bad x", "command list filterby",
        "command list x", "ANY command list filterby aclcat string", "command getkeysandflags set a 1", "command getkeysandflags set a 1 get", "command getkeysandflags mset a 1 b 2", "command getkeysandflags copy a b",
        "command getkeysandflags ping", "command getkeysandflags bitop and a b c", "command getkeys object freq a", "command getkeys memory usage a", "command getkeys publish a b", "command getkeys spublish a b", "command getkeys client id",
        "command count x", "command docs x y", "ANY command docs client", "command info role lastsave wait slowlog|get latency|reset acl|cat module|load",
    ],
    "transactions": [
        "exec", "discard", "multi", "multi", "set a 1", "incr a", "get a", "exec", "get a", "multi", "set a 5", "discard", "get a", "multi", "get", "exec", "multi", "nosuch", "set a 9", "exec", "get a", "multi", "set s abc", "incr s", "get s", "exec",
        "watch a", "set a 7", "multi", "get a", "exec", "watch a", "multi", "get a", "exec", "watch a", "set a 8", "unwatch", "multi", "get a", "exec", "multi", "watch a", "exec", "watch nope", "multi", "exec", "multi", "exec",
        "multi", "select 1", "set in1 x", "exec", "get in1", "select 0", "get in1", "multi", "flushall", "dbsize", "set z 1", "dbsize", "keys *", "randomkey", "scan 0", "exec", "multi", "ping", "echo x", "exec", "watch z", "expire z 100", "multi", "get z", "exec",
        "watch z", "del z", "set z 1", "multi", "get z", "exec", "watch gone", "flushall", "multi", "ping", "exec", "multi", ("set", "l", LARGE), "get l", "exec", "multi", "mset a 1 b", "exec", "multi", "getrange a x 1", "exec", "reset",
    ],
}

#: Whole exchanges as bytes; each on a connection of its own, which ends when the server closes it or after a PING's reply.
RAW = [
    b"*x\r\n", b"*-5\r\nPING\r\n", b"*0\r\nPING\r\n", b"*1\r\n:4\r\n", b"*1\r\n$-1\r\n", b"*1\r\n$x\r\n", b"*1\r\n$4\r\nPINGxxPING\r\n", b'GET "a\r\n', b"\r\n\r\nPING\r\n", b"POST / HTTP/1.1\r\n", b"Host: x\r\n",
    b'foo \x01 "a\\nb"\r\n', b"*1\r\n$0\r\n\r\n", b"*1\r\r\n$4\r\nPING\r\n", b"*2\r\n*1\r\n", b"*01\r\n$4\r\nPING\r\n", b"*1\r\n$04\r\nPING\r\n", b"*1\r\n\x01\r\n", b"PING\n", b" PING 'a' \"b\" x\n",
    b'ping a"b" \n', b"*\r\n", b"+PING\r\n", b"   \r\nPING\r\n", b"*3\r\n$3\r\nSET\r\n$1\r\na\r\n$99999999999\r\n", b"*2147483648\r\n", b"QUIT\r\nPING\r\n", b"set a 1\r\nget a\r\n*2\r\n$3\r\nGET\r\n$1\r\na\r\n",
    b"*3\r\n$3\r\nSET\r\n$1\r\na\r\n$1\r\n1\r\n" * 300 + b"*2\r\n$3\r\nGET\r\n$1\r\na\r\n" * 300, b"CLIENT REPLY OFF\r\nPING\r\nCLIENT REPLY ON\r\nPING\r\n", b"CLIENT REPLY SKIP\r\nPING\r\nPING\r\n",
    b"nosuch " + b"y" * 300 + b" b\r\n", b"nosuch a b c d e f g h i j k l m n o p q r s t u v w x y z 1 2 3 4 5 6 7 8 9\r\n",
    b"post /a HTTP/1.0\r\n\r\n", b"*1\r\n$4\r\nPOST\r\n", b"*2\r\n$5\r\nhost:\r\n$1\r\nx\r\n",
    b"*1\r\n*1\r\n$4\r\nPING\r\n", b"*2\r\n$4\r\nECHO\r\n*1\r\n$1\r\na\r\n", b"*2\r\n$4\r\nECHO\r\n:1\r\n", b"*2\r\n$4\r\nECHO\r\n+a\r\n", b"*2\r\n$4\r\nECHO\r\n\r\n",
    b"*1\r\n$-2\r\n", b"*1\r\n$+4\r\nPING\r\n", b"*+1\r\n$4\r\nPING\r\n", b"*1\r\n$ 4\r\nPING\r\n", b"* 1\r\n$4\r\nPING\r\n", b"*-1\r\nPING\r\n", b"*1\r\n$9223372036854775808\r\n", b"*9223372036854775808\r\n",
    b"*1.5\r\n", b"*0x1\r\n", b"*1\r\n$0x4\r\nPING\r\n", b"*1\r\n$4.0\r\nPING\r\n", b"$5\r\nhallo\r\n", b":5\r\n", b"-ERR\r\n", b"%1\r\n", b"~1\r\n", b">1\r\n", b"_\r\n", b"*1\r\n$1\r\n*\r\n",
    b"*3\r\n$3\r\nSET\r\n$1\r\na\r\n$2\r\nabc\r\nPING\r\n", b"*2\r\n$4\r\n\x00bad\r\n$3\r\na\x00b\r\n", b"*2\r\n$3\r\nn\xffo\r\n$200\r\n" + b"z" * 200 + b"\r\n", b"\x80\x61\r\n", b'"unbalanced\r\n', b"'a''b'\r\n", b'"a"b\r\n', b'"\\x4"\r\n', b"SSH-2.0-x\r\n",
    b"MULTI\r\nSET\r\nSET a 1\r\nEXEC\r\nGET a\r\n", b"MULTI\r\nNOSUCH\r\nEXEC\r\n", b"MULTI\r\nSET a b\r\nINCR a\r\nGET a\r\nEXEC\r\nEXEC\r\n", b"MULTI\r\nMULTI\r\nSET a 2\r\nEXEC\r\nGET a\r\n", b"MULTI\r\nWATCH a\r\nEXEC\r\n",
]
