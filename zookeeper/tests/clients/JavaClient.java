import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.TimeUnit;
import org.apache.zookeeper.CreateMode;
import org.apache.zookeeper.KeeperException;
import org.apache.zookeeper.Op;
import org.apache.zookeeper.OpResult;
import org.apache.zookeeper.WatchedEvent;
import org.apache.zookeeper.Watcher;
import org.apache.zookeeper.ZooDefs.Ids;
import org.apache.zookeeper.ZooKeeper;
import org.apache.zookeeper.data.Stat;

/** One official client against the server: everything that the clients of 3.4 to 3.9 have in common, and a restart. */
public class JavaClient implements Watcher {
    private final BlockingQueue<WatchedEvent> events = new ArrayBlockingQueue<WatchedEvent>(1000);

    public void process(WatchedEvent event) {
        events.add(event);
    }

    private void await(Event.EventType type, Event.KeeperState state, String path) throws Exception {
        for (;;) {
            WatchedEvent event = events.poll(60, TimeUnit.SECONDS);
            if (event == null) {
                throw new AssertionError("no event " + type + " " + state + " " + path);
            }
            if (event.getType() == type && event.getState() == state && (path == null || path.equals(event.getPath()))) {
                return;
            }
        }
    }

    private static void check(boolean truth, Object what) {
        if (!truth) {
            throw new AssertionError(String.valueOf(what));
        }
    }

    private static ZooKeeper connect(String address, JavaClient watcher) throws Exception {
        ZooKeeper zk = new ZooKeeper(address, 20000, watcher);
        watcher.await(Event.EventType.None, Event.KeeperState.SyncConnected, null);
        return zk;
    }

    public static void main(String[] args) throws Exception {
        JavaClient one = new JavaClient();
        JavaClient two = new JavaClient();
        ZooKeeper zk = connect(args[0], one);
        ZooKeeper other = connect(args[0], two);
        String root = zk.create("/java-", null, Ids.OPEN_ACL_UNSAFE, CreateMode.PERSISTENT_SEQUENTIAL);
        zk.create(root + "/a", "one".getBytes(), Ids.OPEN_ACL_UNSAFE, CreateMode.PERSISTENT);
        try {
            zk.create(root + "/a", null, Ids.OPEN_ACL_UNSAFE, CreateMode.PERSISTENT);
            throw new AssertionError("created twice");
        } catch (KeeperException.NodeExistsException expected) {
        }
        Stat stat = new Stat();
        check("one".equals(new String(zk.getData(root + "/a", false, stat))), stat);
        check(stat.getDataLength() == 3 && stat.getVersion() == 0, stat);
        check(zk.exists(root + "/none", false) == null, "exists");

        check(other.exists(root + "/later", true) == null, "exists");
        other.getChildren(root, true);
        other.getData(root + "/a", true, null);
        zk.create(root + "/later", null, Ids.OPEN_ACL_UNSAFE, CreateMode.EPHEMERAL);
        two.await(Event.EventType.NodeCreated, Event.KeeperState.SyncConnected, root + "/later");
        two.await(Event.EventType.NodeChildrenChanged, Event.KeeperState.SyncConnected, root);
        zk.setData(root + "/a", "two".getBytes(), 0);
        two.await(Event.EventType.NodeDataChanged, Event.KeeperState.SyncConnected, root + "/a");

        List<OpResult> results = zk.multi(Arrays.asList(
            Op.create(root + "/m", "m".getBytes(), Ids.OPEN_ACL_UNSAFE, CreateMode.PERSISTENT),
            Op.setData(root + "/m", "n".getBytes(), 0),
            Op.check(root + "/m", 1),
            Op.delete(root + "/m", 1)));
        check(results.size() == 4, results);
        try {
            zk.multi(Arrays.asList(Op.delete(root + "/a", -1), Op.check(root, 99)));
            throw new AssertionError("half a multi");
        } catch (KeeperException.BadVersionException expected) {
            check(zk.exists(root + "/a", false) != null, "a multi was half done");
        }

        zk.addAuthInfo("digest", "bob:secret".getBytes());
        zk.create(root + "/private", "p".getBytes(), Ids.CREATOR_ALL_ACL, CreateMode.PERSISTENT);
        check("p".equals(new String(zk.getData(root + "/private", false, null))), "own data");
        try {
            other.getData(root + "/private", false, null);
            throw new AssertionError("read without a right");
        } catch (KeeperException.NoAuthException expected) {
        }
        check(zk.getACL(root + "/private", new Stat()).get(0).getId().getId().startsWith("bob:"), "getACL");

        other.exists(root + "/later", true);
        other.exists(root + "/after", true);
        long session = zk.getSessionId();
        System.out.println("READY");
        System.out.flush();
        // The test restarts the server here: the clients come back by themselves, with their sessions and their watches.
        one.await(Event.EventType.None, Event.KeeperState.Disconnected, null);
        one.await(Event.EventType.None, Event.KeeperState.SyncConnected, null);
        two.await(Event.EventType.None, Event.KeeperState.Disconnected, null);
        two.await(Event.EventType.None, Event.KeeperState.SyncConnected, null);
        check(zk.getSessionId() == session, "another session");
        check("p".equals(new String(zk.getData(root + "/private", false, null))), "auth was not renewed");
        check(zk.exists(root + "/later", false) != null, "the ephemeral node is gone");
        zk.create(root + "/after", null, Ids.OPEN_ACL_UNSAFE, CreateMode.PERSISTENT);
        two.await(Event.EventType.NodeCreated, Event.KeeperState.SyncConnected, root + "/after");
        zk.close();
        two.await(Event.EventType.NodeDeleted, Event.KeeperState.SyncConnected, root + "/later");
        check(other.getChildren(root, false).containsAll(Arrays.asList("a", "after", "private")), "children");
        other.close();
        System.out.println("OK");
    }
}
