package clients;

import java.util.List;
import java.util.Map;

import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;

/** The clients of 0.10.1 and 0.10.2: timestamps, and offsets by time; no headers; topics made by asking for them. */
final class Generation {
    private Generation() {}

    static void create(String bootstrap, String topic, int partitions) {
        throw new UnsupportedOperationException("the client of 0.10 creates no topics");
    }

    static ProducerRecord<String, String> record(String topic, int partition, long time, String key, String value, String tag) {
        return new ProducerRecord<String, String>(topic, partition, time, key, value);
    }

    static ConsumerRecords<byte[], byte[]> poll(KafkaConsumer<byte[], byte[]> consumer) {
        return consumer.poll(100);
    }

    static Object timestamp(ConsumerRecord<byte[], byte[]> record) {
        return record.timestamp();
    }

    static String headers(ConsumerRecord<byte[], byte[]> record) {
        return "-";
    }

    static Map<TopicPartition, Long> offsets(KafkaConsumer<byte[], byte[]> consumer, List<TopicPartition> partitions, long time) {
        return ByTime.offsets(consumer, partitions, time);
    }
}
