package acceptance;

import java.util.Properties;

import kafka.javaapi.producer.Producer;
import kafka.producer.KeyedMessage;
import kafka.producer.ProducerConfig;

/**
 * The producer of the 0.8 tutorials. What it does not set counts as much as what it sets: acks=0, no key, no client id.
 *
 * <pre>
 * SimpleProducer BROKERS TOPIC MESSAGE COUNT
 * </pre>
 */
public final class SimpleProducer {
    private SimpleProducer() {}

    public static void main(String[] a) {
        Properties properties = new Properties();
        properties.put("metadata.broker.list", a[0]);
        properties.put("serializer.class", "kafka.serializer.StringEncoder");
        Producer<Integer, String> producer = new Producer<Integer, String>(new ProducerConfig(properties));
        for (int left = Integer.parseInt(a[3]); left > 0; left--) {
            producer.send(new KeyedMessage<Integer, String>(a[1], a[2]));
        }
        producer.close();
    }
}
