package clients;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Properties;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;

import kafka.admin.AdminUtils;
import kafka.javaapi.producer.Producer;
import kafka.producer.KeyedMessage;
import kafka.producer.Partitioner;
import kafka.producer.ProducerConfig;
import kafka.utils.VerifiableProperties;
import kafka.utils.ZKStringSerializer$;
import org.I0Itec.zkclient.ZkClient;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;

/**
 * The test program on the clients of 0.8.2: the Scala producer, the first Java producer, the consumer that keeps its groups in ZooKeeper, and
 * the SimpleConsumer. Commands as those of the later clients; what these clients do through ZooKeeper takes ZOOKEEPER.
 *
 * <pre>
 * create ZOOKEEPER TOPIC PARTITIONS
 * produce BOOTSTRAP TOPIC CODECS COUNT TAG TIME            the Java producer
 * produce-scala BOOTSTRAP TOPIC CODECS COUNT TAG TIME      the Scala producer
 * consume ZOOKEEPER TOPIC GROUP                            until SIGTERM
 * read BOOTSTRAP TOPIC COUNT                               every partition from its beginning, by SimpleConsumer
 * offsets BOOTSTRAP TOPIC TIME...
 * </pre>
 */
public final class Client {
    private Client() {}

    public static void main(String[] a) throws Exception {
        switch (a[0]) {
            case "create":
                ZkClient zookeeper = new ZkClient(a[1], 30000, 30000, ZKStringSerializer$.MODULE$);
                AdminUtils.createTopic(zookeeper, a[2], Integer.parseInt(a[3]), 1, new Properties());
                zookeeper.close();
                Line.created(a[2]);
                break;
            case "produce":
                for (String codec : a[3].split(",")) {
                    produce(a[1], a[2], codec, Integer.parseInt(a[4]), a[5]);
                }
                break;
            case "produce-scala":
                for (String codec : a[3].split(",")) {
                    produceScala(a[1], a[2], codec, Integer.parseInt(a[4]), a[5]);
                }
                break;
            case "consume":
                ZooKeeperMember.consume(a[1], a[2], a[3]);
                break;
            case "read":
                Simple.read(a[1], a[2], Integer.parseInt(a[3]));
                break;
            case "offsets":
                for (int i = 3; i < a.length; i++) {
                    Simple.offsets(a[1], a[2], Long.parseLong(a[i]));
                }
                break;
            default:
                throw new IllegalArgumentException(a[0]);
        }
    }

    private static void produce(String bootstrap, String topic, String codec, int count, String tag) throws Exception {
        Properties p = new Properties();
        p.put("bootstrap.servers", bootstrap);
        p.put("acks", "all");
        p.put("linger.ms", "10");
        p.put("retries", "10");
        p.put("max.in.flight.requests.per.connection", "1");
        p.put("compression.type", codec);
        p.put("key.serializer", "org.apache.kafka.common.serialization.StringSerializer");
        p.put("value.serializer", "org.apache.kafka.common.serialization.StringSerializer");
        KafkaProducer<String, String> producer = new KafkaProducer<String, String>(p);
        List<Future<RecordMetadata>> sent = new ArrayList<Future<RecordMetadata>>();
        for (int n = 0; n < count; n++) {
            String key = Line.key(tag, codec, n);
            sent.add(producer.send(new ProducerRecord<String, String>(topic, n % 3, key, Line.value(key, n))));
        }
        for (int n = 0; n < count; n++) {
            RecordMetadata metadata = sent.get(n).get(120, TimeUnit.SECONDS);
            Line.acked(metadata.partition(), metadata.offset(), Line.key(tag, codec, n));
        }
        producer.close();
    }

    /** The record's number is the end of its key; it goes round the partitions. */
    public static final class RoundRobin implements Partitioner {
        public RoundRobin(VerifiableProperties properties) {}

        @Override
        public int partition(Object key, int partitions) {
            String text = (String) key;
            return Integer.parseInt(text.substring(text.lastIndexOf('.') + 1)) % partitions;
        }
    }

    private static void produceScala(String bootstrap, String topic, String codec, int count, String tag) {
        Properties p = new Properties();
        p.put("metadata.broker.list", bootstrap);
        p.put("request.required.acks", "-1");
        p.put("request.timeout.ms", "60000");
        p.put("serializer.class", "kafka.serializer.StringEncoder");
        p.put("partitioner.class", RoundRobin.class.getName());
        p.put("compression.codec", codec);
        Producer<String, String> producer = new Producer<String, String>(new ProducerConfig(p));
        List<KeyedMessage<String, String>> messages = new ArrayList<KeyedMessage<String, String>>();
        for (int n = 0; n < count; n++) {
            String key = Line.key(tag, codec, n);
            messages.add(new KeyedMessage<String, String>(topic, key, Line.value(key, n)));
        }
        // One send is one request: one wrapped message set for each partition. It returns when the broker has answered.
        producer.send(messages);
        for (int n = 0; n < count; n++) {
            Line.acked(n % 3, "-", Line.key(tag, codec, n));
        }
        producer.close();
    }
}
