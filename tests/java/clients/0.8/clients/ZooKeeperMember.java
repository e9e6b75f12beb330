package clients;

import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.TreeSet;
import java.util.UUID;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

import kafka.consumer.Consumer;
import kafka.consumer.ConsumerConfig;
import kafka.consumer.ConsumerIterator;
import kafka.consumer.KafkaStream;
import kafka.javaapi.consumer.ConsumerConnector;
import kafka.message.MessageAndMetadata;
import kafka.utils.ZKStringSerializer$;
import org.I0Itec.zkclient.ZkClient;
import org.I0Itec.zkclient.exception.ZkNoNodeException;

/** A member of a group of the old kind: partitions are owned by ephemeral nodes of ZooKeeper, and offsets are kept there. */
final class ZooKeeperMember {
    private ZooKeeperMember() {}

    static void consume(String zookeeper, String topic, String group) throws Exception {
        final String id = UUID.randomUUID().toString();
        Properties p = new Properties();
        p.put("zookeeper.connect", zookeeper);
        p.put("zookeeper.connection.timeout.ms", "60000");
        p.put("zookeeper.session.timeout.ms", "20000");
        p.put("group.id", group);
        p.put("consumer.id", id);
        p.put("auto.offset.reset", "smallest");
        p.put("auto.commit.enable", "false");
        p.put("offsets.storage", "zookeeper");
        p.put("rebalance.backoff.ms", "500");
        p.put("rebalance.max.retries", "60");
        p.put("refresh.leader.backoff.ms", "100");
        final ConsumerConnector connector = Consumer.createJavaConsumerConnector(new ConsumerConfig(p));
        Map<String, Integer> threads = new HashMap<String, Integer>();
        threads.put(topic, 1);
        Map<String, List<KafkaStream<byte[], byte[]>>> streams = connector.createMessageStreams(threads);
        watchOwners(zookeeper, topic, group, id);

        final CountDownLatch closed = new CountDownLatch(1);
        Runtime.getRuntime().addShutdownHook(new Thread() {
            @Override
            public void run() {
                connector.shutdown();
                try {
                    closed.await(60, TimeUnit.SECONDS);
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                }
            }
        });
        ConsumerIterator<byte[], byte[]> messages = streams.get(topic).get(0).iterator();
        while (messages.hasNext()) {
            MessageAndMetadata<byte[], byte[]> m = messages.next();
            Line.record(m.partition(), m.offset(), "-", m.key(), m.message(), "-");
            connector.commitOffsets();
        }
        Line.left();
        closed.countDown();
    }

    /** The connector does not tell what it owns: its nodes do. */
    private static void watchOwners(String zookeeper, final String topic, final String group, final String id) {
        final ZkClient client = new ZkClient(zookeeper, 20000, 60000, ZKStringSerializer$.MODULE$);
        Thread watch = new Thread() {
            @Override
            public void run() {
                Collection<Integer> said = Collections.<Integer>emptySet();
                while (true) {
                    Collection<Integer> now = owned(client, "/consumers/" + group + "/owners/" + topic, group + "_" + id);
                    if (!now.equals(said)) {
                        Line.assigned(now);
                        said = now;
                    }
                    try {
                        Thread.sleep(100);
                    } catch (InterruptedException e) {
                        return;
                    }
                }
            }
        };
        watch.setDaemon(true);
        watch.start();
    }

    private static Collection<Integer> owned(ZkClient client, String folder, String owner) {
        Collection<Integer> partitions = new TreeSet<Integer>();
        List<String> children = new ArrayList<String>();
        try {
            children = client.getChildren(folder);
        } catch (ZkNoNodeException nothingOwnedYet) {
            return partitions;
        }
        for (String child : children) {
            String value = client.<String>readData(folder + "/" + child, true);
            if (value != null && value.startsWith(owner)) {
                partitions.add(Integer.parseInt(child));
            }
        }
        return partitions;
    }
}
