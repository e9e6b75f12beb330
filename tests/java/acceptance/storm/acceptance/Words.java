package acceptance;

import java.util.Properties;

import kafka.javaapi.producer.Producer;
import kafka.producer.KeyedMessage;
import kafka.producer.ProducerConfig;

/**
 * Messages for the topology, from the producer of its time: keyed, one request each, acks=1.
 *
 * <pre>
 * Words BROKERS TOPIC COUNT
 * </pre>
 */
public final class Words {
    private static final String[] FRUIT = {"apple", "banana", "cherry"};

    private Words() {}

    public static void main(String[] a) {
        Properties properties = new Properties();
        properties.put("metadata.broker.list", a[0]);
        properties.put("serializer.class", "kafka.serializer.StringEncoder");
        properties.put("request.required.acks", "1");
        Producer<String, String> producer = new Producer<String, String>(new ProducerConfig(properties));
        for (int n = 0; n < Integer.parseInt(a[2]); n++) {
            producer.send(new KeyedMessage<String, String>(a[1], "key" + n, FRUIT[n % FRUIT.length] + " house"));
        }
        producer.close();
    }
}
