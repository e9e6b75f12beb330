package clients;

import java.nio.ByteBuffer;
import java.util.Collections;
import java.util.Map;
import java.util.TreeMap;

import kafka.api.FetchRequestBuilder;
import kafka.api.PartitionOffsetRequestInfo;
import kafka.common.TopicAndPartition;
import kafka.javaapi.FetchResponse;
import kafka.javaapi.OffsetRequest;
import kafka.javaapi.OffsetResponse;
import kafka.javaapi.PartitionMetadata;
import kafka.javaapi.TopicMetadata;
import kafka.javaapi.TopicMetadataRequest;
import kafka.javaapi.consumer.SimpleConsumer;
import kafka.message.MessageAndOffset;

/** The SimpleConsumer: one connection, offsets by hand. */
final class Simple {
    private static final String CLIENT = "simple";

    private Simple() {}

    private static SimpleConsumer connect(String bootstrap) {
        String[] address = bootstrap.split(",")[0].split(":");
        return new SimpleConsumer(address[0], Integer.parseInt(address[1]), 60000, 1 << 20, CLIENT);
    }

    private static Map<Integer, Long> partitions(SimpleConsumer consumer, String topic, long from) {
        Map<Integer, Long> next = new TreeMap<Integer, Long>();
        for (TopicMetadata metadata : consumer.send(new TopicMetadataRequest(Collections.singletonList(topic))).topicsMetadata()) {
            for (PartitionMetadata partition : metadata.partitionsMetadata()) {
                next.put(partition.partitionId(), from);
            }
        }
        return next;
    }

    static void read(String bootstrap, String topic, int count) {
        SimpleConsumer consumer = connect(bootstrap);
        Map<Integer, Long> next = partitions(consumer, topic, 0L);
        for (int read = 0; read < count; ) {
            FetchRequestBuilder request = new FetchRequestBuilder().clientId(CLIENT).maxWait(500).minBytes(1);
            for (Map.Entry<Integer, Long> entry : next.entrySet()) {
                request.addFetch(topic, entry.getKey(), entry.getValue(), 1 << 20);
            }
            FetchResponse response = consumer.fetch(request.build());
            for (int partition : next.keySet()) {
                if (response.errorCode(topic, partition) != 0) {
                    Line.error("fetch of partition " + partition + ": error code " + response.errorCode(topic, partition));
                    System.exit(1);
                }
                for (MessageAndOffset m : response.messageSet(topic, partition)) {
                    // A compressed wrapper is answered whole: messages before the asked offset come with it.
                    if (m.offset() >= next.get(partition)) {
                        Line.record(partition, m.offset(), "-", bytes(m.message().key()), bytes(m.message().payload()), "-");
                        next.put(partition, m.nextOffset());
                        read++;
                    }
                }
            }
        }
        consumer.close();
    }

    private static byte[] bytes(ByteBuffer buffer) {
        byte[] bytes = new byte[buffer.remaining()];
        buffer.duplicate().get(bytes);
        return bytes;
    }

    static void offsets(String bootstrap, String topic, long time) {
        SimpleConsumer consumer = connect(bootstrap);
        for (int partition : partitions(consumer, topic, 0L).keySet()) {
            OffsetResponse response = consumer.getOffsetsBefore(new OffsetRequest(
                    Collections.singletonMap(new TopicAndPartition(topic, partition), new PartitionOffsetRequestInfo(time, 1)),
                    kafka.api.OffsetRequest.CurrentVersion(), CLIENT));
            if (response.hasError()) {
                Line.error("offsets of partition " + partition + ": error code " + response.errorCode(topic, partition));
                System.exit(1);
            }
            long[] offsets = response.offsets(topic, partition);
            Line.offset(partition, time, offsets.length == 0 ? -1 : offsets[0]);
        }
        consumer.close();
    }
}
