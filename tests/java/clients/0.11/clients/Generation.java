package clients;

import java.util.List;
import java.util.Map;

import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;

/** The clients of 0.11 to 1.1: timestamps, headers, an admin client; poll takes milliseconds. */
final class Generation {
    private Generation() {}

    static void create(String bootstrap, String topic, int partitions) throws Exception {
        Admin.create(bootstrap, topic, partitions);
    }

    static ProducerRecord<String, String> record(String topic, int partition, long time, String key, String value, String tag) {
        ProducerRecord<String, String> record = new ProducerRecord<String, String>(topic, partition, time, key, value);
        record.headers().add("tag", Line.bytes(tag));
        return record;
    }

    static ConsumerRecords<byte[], byte[]> poll(KafkaConsumer<byte[], byte[]> consumer) {
        return consumer.poll(100);
    }

    static Object timestamp(ConsumerRecord<byte[], byte[]> record) {
        return record.timestamp();
    }

    static String headers(ConsumerRecord<byte[], byte[]> record) {
        return Admin.text(record.headers());
    }

    static Map<TopicPartition, Long> offsets(KafkaConsumer<byte[], byte[]> consumer, List<TopicPartition> partitions, long time) {
        return ByTime.offsets(consumer, partitions, time);
    }
}
