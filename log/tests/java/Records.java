import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Properties;
import java.util.concurrent.Future;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.TopicPartition;

/**
 * Writes what a log can hold, and prints what a consumer sees. Compiles with the clients of 0.11 to 3.9.
 *
 *   Records write BOOTSTRAP TOPIC PREFIX CODEC...   plain and idempotent batches of each codec, then transactions
 *   Records read BOOTSTRAP TOPIC ISOLATION          a line "offset timestamp value" for each record
 */
public final class Records {
    public static void main(String[] args) throws Exception {
        if (args[0].equals("write")) {
            write(args);
            // The last transaction stays open: its producer goes without a word.
            Runtime.getRuntime().halt(0);
        }
        read(args);
    }

    private static Properties properties(String bootstrap) {
        Properties p = new Properties();
        p.put("bootstrap.servers", bootstrap);
        for (String kind : new String[] {"key.serializer", "value.serializer"})
            p.put(kind, "org.apache.kafka.common.serialization.StringSerializer");
        for (String kind : new String[] {"key.deserializer", "value.deserializer"})
            p.put(kind, "org.apache.kafka.common.serialization.StringDeserializer");
        return p;
    }

    private static void send(KafkaProducer<String, String> producer, String topic, String prefix, int count) throws Exception {
        List<Future<RecordMetadata>> sent = new ArrayList<>();
        for (int i = 0; i < count; i++)
            sent.add(producer.send(new ProducerRecord<>(topic, 0, "key-" + i, prefix + "-" + i + "-" + "padding".substring(i % 7))));
        producer.flush();
        for (Future<RecordMetadata> future : sent) future.get();
    }

    private static void write(String[] args) throws Exception {
        String topic = args[2], prefix = args[3];
        for (int i = 4; i < args.length; i++) {
            for (boolean idempotent : new boolean[] {false, true}) {
                Properties p = properties(args[1]);
                p.put("compression.type", args[i]);
                p.put("linger.ms", "5");
                p.put("batch.size", "900");
                p.put("acks", "all");
                p.put("enable.idempotence", String.valueOf(idempotent));
                try (KafkaProducer<String, String> producer = new KafkaProducer<>(p)) {
                    send(producer, topic, prefix + "-" + args[i] + "-" + idempotent, 60);
                }
            }
        }
        Properties p = properties(args[1]);
        p.put("transactional.id", "transactions-of-" + prefix);
        p.put("transaction.timeout.ms", "900000");
        KafkaProducer<String, String> producer = new KafkaProducer<>(p);
        producer.initTransactions();
        for (int i = 0; i < 6; i++) {
            producer.beginTransaction();
            send(producer, topic, prefix + "-transaction-" + i, 5);
            if (i % 2 == 0) producer.commitTransaction();
            else producer.abortTransaction();
        }
        producer.beginTransaction();
        send(producer, topic, prefix + "-open", 3);
    }

    private static void read(String[] args) {
        Properties p = properties(args[1]);
        p.put("isolation.level", args[3]);
        p.put("enable.auto.commit", "false");
        TopicPartition partition = new TopicPartition(args[2], 0);
        try (KafkaConsumer<String, String> consumer = new KafkaConsumer<>(p)) {
            consumer.assign(Collections.singletonList(partition));
            consumer.seekToBeginning(Collections.singletonList(partition));
            long end = consumer.endOffsets(Collections.singletonList(partition)).get(partition);
            while (consumer.position(partition) < end)
                for (ConsumerRecord<String, String> record : consumer.poll(100))
                    System.out.println(record.offset() + " " + record.timestamp() + " " + record.value());
            System.out.println("end " + end);
        }
    }
}
