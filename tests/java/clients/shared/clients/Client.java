package clients;

import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.TreeSet;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;

import org.apache.kafka.clients.consumer.ConsumerRebalanceListener;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.PartitionInfo;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.WakeupException;

/**
 * The test program on the Java clients from 0.9 on; what their generations do differently is in Generation.
 *
 * <pre>
 * create BOOTSTRAP TOPIC PARTITIONS
 * produce BOOTSTRAP TOPIC CODEC,CODEC... COUNT TAG TIME    COUNT records a codec, over three partitions; the first carries TIME
 * consume BOOTSTRAP TOPIC GROUP                            until SIGTERM
 * offsets BOOTSTRAP TOPIC TIME...                          -2 earliest, -1 latest, else milliseconds
 * </pre>
 */
public final class Client {
    private Client() {}

    public static void main(String[] a) throws Exception {
        switch (a[0]) {
            case "create":
                Generation.create(a[1], a[2], Integer.parseInt(a[3]));
                Line.created(a[2]);
                break;
            case "produce":
                long time = Long.parseLong(a[6]);
                for (String codec : a[3].split(",")) {
                    produce(a[1], a[2], codec, Integer.parseInt(a[4]), a[5], time);
                    time += Integer.parseInt(a[4]);
                }
                break;
            case "consume":
                consume(a[1], a[2], a[3]);
                break;
            case "offsets":
                for (int i = 3; i < a.length; i++) {
                    offsets(a[1], a[2], Long.parseLong(a[i]));
                }
                break;
            default:
                throw new IllegalArgumentException(a[0]);
        }
    }

    private static void produce(String bootstrap, String topic, String codec, int count, String tag, long time) throws Exception {
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
            sent.add(producer.send(Generation.record(topic, n % 3, time + n, key, Line.value(key, n), tag)));
        }
        for (int n = 0; n < count; n++) {
            RecordMetadata metadata = sent.get(n).get(120, TimeUnit.SECONDS);
            Line.acked(metadata.partition(), metadata.offset(), Line.key(tag, codec, n));
        }
        producer.close();
    }

    private static KafkaConsumer<byte[], byte[]> consumer(String bootstrap, String group) {
        Properties p = new Properties();
        p.put("bootstrap.servers", bootstrap);
        p.put("group.id", group);
        p.put("enable.auto.commit", "false");
        p.put("auto.offset.reset", "earliest");
        p.put("metadata.max.age.ms", "2000");
        p.put("heartbeat.interval.ms", "500");
        p.put("session.timeout.ms", "20000");
        p.put("key.deserializer", "org.apache.kafka.common.serialization.ByteArrayDeserializer");
        p.put("value.deserializer", "org.apache.kafka.common.serialization.ByteArrayDeserializer");
        return new KafkaConsumer<byte[], byte[]>(p);
    }

    private static void consume(String bootstrap, String topic, String group) throws Exception {
        final KafkaConsumer<byte[], byte[]> consumer = consumer(bootstrap, group);
        final CountDownLatch closed = new CountDownLatch(1);
        Runtime.getRuntime().addShutdownHook(new Thread() {
            @Override
            public void run() {
                consumer.wakeup();
                try {
                    closed.await(60, TimeUnit.SECONDS);
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                }
            }
        });
        consumer.subscribe(Collections.singletonList(topic), new ConsumerRebalanceListener() {
            @Override
            public void onPartitionsRevoked(Collection<TopicPartition> partitions) {}

            @Override
            public void onPartitionsAssigned(Collection<TopicPartition> partitions) {
                Collection<Integer> numbers = new TreeSet<Integer>();
                for (TopicPartition partition : partitions) {
                    numbers.add(partition.partition());
                }
                Line.assigned(numbers);
            }
        });
        try {
            while (true) {
                boolean any = false;
                for (ConsumerRecord<byte[], byte[]> r : Generation.poll(consumer)) {
                    Line.record(r.partition(), r.offset(), Generation.timestamp(r), r.key(), r.value(), Generation.headers(r));
                    any = true;
                }
                if (any) {
                    consumer.commitSync();
                }
            }
        } catch (WakeupException e) {
            consumer.close();
            Line.left();
        } catch (RuntimeException e) {
            Line.error(e);
            consumer.close();
        } finally {
            closed.countDown();
        }
    }

    private static void offsets(String bootstrap, String topic, long time) {
        KafkaConsumer<byte[], byte[]> consumer = consumer(bootstrap, "offsets");
        List<TopicPartition> partitions = new ArrayList<TopicPartition>();
        for (PartitionInfo info : consumer.partitionsFor(topic)) {
            partitions.add(new TopicPartition(topic, info.partition()));
        }
        Map<TopicPartition, Long> found = new HashMap<TopicPartition, Long>(Generation.offsets(consumer, partitions, time));
        for (Map.Entry<TopicPartition, Long> entry : found.entrySet()) {
            Line.offset(entry.getKey().partition(), time, entry.getValue());
        }
        consumer.close();
    }
}
