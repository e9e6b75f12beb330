package clients;

import java.util.HashMap;
import java.util.List;
import java.util.Map;

import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;

/** The clients of 0.9: records without timestamps and headers, offsets only of both ends, topics made by asking for them. */
final class Generation {
    private Generation() {}

    static void create(String bootstrap, String topic, int partitions) {
        throw new UnsupportedOperationException("the client of 0.9 creates no topics");
    }

    static ProducerRecord<String, String> record(String topic, int partition, long time, String key, String value, String tag) {
        return new ProducerRecord<String, String>(topic, partition, key, value);
    }

    static ConsumerRecords<byte[], byte[]> poll(KafkaConsumer<byte[], byte[]> consumer) {
        return consumer.poll(100);
    }

    static Object timestamp(ConsumerRecord<byte[], byte[]> record) {
        return "-";
    }

    static String headers(ConsumerRecord<byte[], byte[]> record) {
        return "-";
    }

    static Map<TopicPartition, Long> offsets(KafkaConsumer<byte[], byte[]> consumer, List<TopicPartition> partitions, long time) {
        Map<TopicPartition, Long> found = new HashMap<TopicPartition, Long>();
        consumer.assign(partitions);
        for (TopicPartition partition : partitions) {
            if (time == -2) {
                consumer.seekToBeginning(partition);
            } else if (time == -1) {
                consumer.seekToEnd(partition);
            } else {
                throw new UnsupportedOperationException("the client of 0.9 looks up no offsets by time");
            }
            found.put(partition, consumer.position(partition));
        }
        return found;
    }
}
