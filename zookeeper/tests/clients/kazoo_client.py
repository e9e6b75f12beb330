"""kazoo against the server: argv[1] is its address. Prints OK at the end."""
import sys
import threading
import time

from kazoo.client import KazooClient
from kazoo.exceptions import BadVersionError, NoAuthError, NodeExistsError, NoNodeError, NotEmptyError
from kazoo.security import make_digest_acl

address = sys.argv[1]
zk = KazooClient(hosts=address, timeout=10)
zk.start(timeout=30)
assert zk.server_version()[:2] == (3, 9), zk.server_version()

zk.create("/kazoo/a", b"one", makepath=True)
try:
    zk.create("/kazoo/a")
    raise AssertionError("created twice")
except NodeExistsError:
    pass
data, stat = zk.get("/kazoo/a")
assert data == b"one" and stat.version == 0 and stat.data_length == 3
zk.set("/kazoo/a", b"two", version=0)
try:
    zk.set("/kazoo/a", b"x", version=0)
    raise AssertionError("an old version was taken")
except BadVersionError:
    pass
try:
    zk.delete("/kazoo")
    raise AssertionError("a parent was deleted")
except NotEmptyError:
    pass
try:
    zk.get("/nowhere")
    raise AssertionError("found nowhere")
except NoNodeError:
    pass
path = zk.create("/kazoo/s-", ephemeral=True, sequence=True)
assert path == "/kazoo/s-0000000001", path
assert sorted(zk.get_children("/kazoo")) == ["a", "s-0000000001"]

fired = threading.Event()
events = []


def watch(event):
    events.append((event.type, event.path))
    fired.set()


zk.exists("/kazoo/later", watch=watch)
other = KazooClient(hosts=address, timeout=10)
other.start(timeout=30)
other.create("/kazoo/later")
assert fired.wait(30) and events == [("CREATED", "/kazoo/later")], events

transaction = zk.transaction()
transaction.create("/kazoo/t", b"t")
transaction.set_data("/kazoo/a", b"three")
transaction.check("/kazoo/a", 2)
transaction.delete("/kazoo/later")
results = transaction.commit()
assert results[0] == "/kazoo/t" and results[1].version == 2 and results[2:] == [True, True], results
transaction = zk.transaction()
transaction.delete("/kazoo/t")
transaction.check("/kazoo/a", 99)
results = transaction.commit()
assert isinstance(results[1], BadVersionError) and zk.exists("/kazoo/t"), results

zk.add_auth("digest", "bob:secret")
zk.create("/kazoo/private", b"p", acl=[make_digest_acl("bob", "secret", all=True)])
assert zk.get("/kazoo/private")[0] == b"p"
try:
    other.get("/kazoo/private")
    raise AssertionError("read without a right")
except NoAuthError:
    pass

lock = zk.Lock("/kazoo/lock", "me")
with lock:
    assert lock.contenders() == ["me"]

own = other.create("/kazoo/own", ephemeral=True)
other.stop()
deadline = time.monotonic() + 30
while zk.exists(own) is not None:
    assert time.monotonic() < deadline, "the ephemeral node outlived its session"
assert zk.sync("/") == "/"
assert zk.command(b"ruok") == "imok"
zk.stop()
print("OK")
