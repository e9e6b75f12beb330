package clients;

import java.util.HashMap;
import java.util.List;
import java.util.Map;

import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndTimestamp;
import org.apache.kafka.common.TopicPartition;

/** Offsets by time, as consumers from 0.10.1 on look them up. */
final class ByTime {
    private ByTime() {}

    static Map<TopicPartition, Long> offsets(KafkaConsumer<byte[], byte[]> consumer, List<TopicPartition> partitions, long time) {
        if (time == -2) {
            return consumer.beginningOffsets(partitions);
        }
        if (time == -1) {
            return consumer.endOffsets(partitions);
        }
        Map<TopicPartition, Long> wanted = new HashMap<TopicPartition, Long>();
        for (TopicPartition partition : partitions) {
            wanted.put(partition, time);
        }
        Map<TopicPartition, Long> found = new HashMap<TopicPartition, Long>();
        for (Map.Entry<TopicPartition, OffsetAndTimestamp> entry : consumer.offsetsForTimes(wanted).entrySet()) {
            found.put(entry.getKey(), entry.getValue() == null ? -1 : entry.getValue().offset());
        }
        return found;
    }
}
