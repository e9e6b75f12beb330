package acceptance;

import java.util.Collections;
import java.util.Properties;

import kafka.consumer.Consumer;
import kafka.consumer.ConsumerConfig;
import kafka.consumer.ConsumerIterator;
import kafka.javaapi.consumer.ConsumerConnector;

/**
 * The high-level consumer of the 0.8 tutorials, with their time-outs: ZooKeeper has 500 ms, offsets are committed every second. It prints
 * each message until it is killed, as the tutorials' consumer is.
 *
 * <pre>
 * SimpleConsumer ZOOKEEPER TOPIC GROUP
 * </pre>
 */
public final class SimpleConsumer {
    private SimpleConsumer() {}

    public static void main(String[] a) {
        Properties properties = new Properties();
        properties.put("zookeeper.connect", a[0]);
        properties.put("group.id", a[2]);
        properties.put("zookeeper.session.timeout.ms", "500");
        properties.put("zookeeper.sync.time.ms", "250");
        properties.put("auto.commit.interval.ms", "1000");
        ConsumerConnector connector = Consumer.createJavaConsumerConnector(new ConsumerConfig(properties));
        ConsumerIterator<byte[], byte[]> messages =
                connector.createMessageStreams(Collections.singletonMap(a[1], 1)).get(a[1]).get(0).iterator();
        while (messages.hasNext()) {
            System.out.println("Message from Single Topic :: " + new String(messages.next().message()));
        }
        connector.shutdown();
    }
}
