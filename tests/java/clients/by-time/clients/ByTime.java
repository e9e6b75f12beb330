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
        // Where no record is that late, consumers up to 1.1 leave the partition out, later ones answer null for it.
        Map<TopicPartition, OffsetAndTimestamp> answers = consumer.offsetsForTimes(wanted);
        Map<TopicPartition, Long> found = new HashMap<TopicPartition, Long>();
        for (TopicPartition partition : partitions) {
            OffsetAndTimestamp answer = answers.get(partition);
            found.put(partition, answer == null ? -1 : answer.offset());
        }
        return found;
    }
}
